/** When a file is complete, and what happens then. Each of these can be set per watch in the file. */
import {
  DEFAULT_TEMPORARY_SUFFIXES,
  VERIFY_MODES,
  isTemporarySuffix,
  type OnConflict,
  type OnReplace,
} from "@sluice/core";
import { setting } from "../setting.ts";
import { list } from "../values/collections.ts";
import { duration, onOff, oneOf } from "../values/scalars.ts";
import { afterUpload } from "../values/urls.ts";

const group = "When a file is complete, and what happens then";
const DAY = 86_400_000;

export const ON_CONFLICT = ["keep-both", "overwrite", "fail"] as const satisfies readonly OnConflict[];
export const ON_REPLACE = ["keep-both", "replace"] as const satisfies readonly OnReplace[];
export const DEFAULT_IDLE_MAX_MS = 600_000;

export const completionRules = {
  idleTimeoutMs: setting({
    name: "IDLE_TIMEOUT",
    group,
    type: duration({ from: 100, to: 7 * DAY }),
    initial: "30s",
    about:
      "A file that was not written for this long is complete, unless a process is seen holding it open for writing. It grows automatically to three times the longest pause seen between two writes of the file.",
  }),
  idleMaxMs: setting({
    name: "IDLE_MAX",
    group,
    type: duration({ from: 100, to: 7 * DAY }),
    computed: "10m, or the idle timeout if that is longer",
    about: "The upper limit of the idle timeout's growth.",
  }),
  ignoreOpen: setting({
    name: "IGNORE_OPEN",
    group,
    type: onOff(),
    initial: "false",
    about: "Complete a file even if a process has it open for writing.",
  }),
  tempSuffixes: setting({
    name: "TEMP_SUFFIXES",
    group,
    type: list(
      "suffixes separated by commas, such as .part,.crdownload; <8 hex> means eight hexadecimal digits",
      isTemporarySuffix,
    ),
    emptyIsValue: true,
    initial: DEFAULT_TEMPORARY_SUFFIXES.join(","),
    about:
      "Suffixes that programs append to a file's name until it is complete. While a file has one, only a rename that removes it, a marker or finalize completes it, and its key never contains it. An empty file beside `<name><suffix>` keeps the name for it and is not uploaded. Empty: no suffix has a meaning.",
  }),
  verify: setting({
    name: "VERIFY",
    group,
    type: oneOf(VERIFY_MODES),
    initial: "full",
    about:
      "What to read again before an object is completed: every part, the first and last (`edges`), or none. Recorders that rewrite their headers at close (MP4, MOV, WAV, MKV) need `full`.",
  }),
  onConflict: setting({
    name: "ON_CONFLICT",
    group,
    type: oneOf(ON_CONFLICT),
    initial: "keep-both",
    about:
      "If the key already has an object of another file or program: take the next free name (`name-2.mp4`), replace it, or fail the stream.",
  }),
  onReplace: setting({
    name: "ON_REPLACE",
    group,
    type: oneOf(ON_REPLACE),
    initial: "keep-both",
    about:
      "If another file appears at the path of a completed one: it gets the next free name (`name-2.mp4`), or replaces Sluice's own earlier object of that path, never another program's. `replace` suits playlists, status files and documents that are rewritten again and again.",
  }),
  afterUpload: setting({
    name: "AFTER_UPLOAD",
    group,
    type: afterUpload(),
    initial: "keep",
    about:
      "What happens to the local file once its object is verified and described. A directory for `move:` must be outside every watch.",
  }),
  afterUploadDelayMs: setting({
    name: "AFTER_UPLOAD_DELAY",
    group,
    type: duration({ from: 1, to: 365 * DAY, zero: "at once" }),
    computed: "10m after an idle completion, 0s after a marker, a rename or finalize",
    about: "How long the local file is left alone before it is deleted or moved.",
  }),
  tidyUnseen: setting({
    name: "TIDY_UNSEEN",
    group,
    type: onOff(),
    initial: "false",
    about:
      "Also delete or move files that are complete only because they are idle, even if some processes that may still write them cannot be seen (another PID namespace, another user's processes, another host). Otherwise such a file stays, and its stream says why; a marker, a rename or `finalize` allows it.",
  }),
};
