/** When a file is complete, and what becomes of it. Every one of these a watch in the file may have for itself. */
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

const group = "When a file is complete, and what becomes of it";
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
      "A file that was not written for this long is complete, unless a process is seen holding it open for writing. It grows by itself to three times the longest pause seen between two writes of the file.",
  }),
  idleMaxMs: setting({
    name: "IDLE_MAX",
    group,
    type: duration({ from: 100, to: 7 * DAY }),
    computed: "10m, or the idle timeout where that is longer",
    about: "The most that the idle timeout grows to.",
  }),
  ignoreOpen: setting({
    name: "IGNORE_OPEN",
    group,
    type: onOff(),
    initial: "false",
    about: "Complete a file although a process is seen holding it open for writing.",
  }),
  tempSuffixes: setting({
    name: "TEMP_SUFFIXES",
    group,
    type: list(
      "suffixes separated by commas, such as .part,.crdownload; <8 hex> stands for eight hexadecimal digits",
      isTemporarySuffix,
    ),
    emptyIsValue: true,
    initial: DEFAULT_TEMPORARY_SUFFIXES.join(","),
    about:
      "What programs put behind a file's name until it is complete. While a file bears one, only a rename that drops it, a marker or finalize complete it, and its key never has it. An empty file beside `<name><suffix>` keeps the name for it and is not uploaded. Empty: no suffix has a meaning.",
  }),
  verify: setting({
    name: "VERIFY",
    group,
    type: oneOf(VERIFY_MODES),
    initial: "full",
    about:
      "What is read again before an object is completed: every part, the first and last (`edges`), or none. Recorders that rewrite their headers at close (MP4, MOV, WAV, MKV) need `full`.",
  }),
  onConflict: setting({
    name: "ON_CONFLICT",
    group,
    type: oneOf(ON_CONFLICT),
    initial: "keep-both",
    about:
      "When another file's or program's object stands at the key: take the next free name (`name-2.mp4`), replace it, or fail the stream.",
  }),
  onReplace: setting({
    name: "ON_REPLACE",
    group,
    type: oneOf(ON_REPLACE),
    initial: "keep-both",
    about:
      "When another file takes the path of one that is completed: it goes under the next free name (`name-2.mp4`), or replaces our own earlier object of that path, never anybody else's. `replace` suits playlists, status files and documents that are written anew again and again.",
  }),
  afterUpload: setting({
    name: "AFTER_UPLOAD",
    group,
    type: afterUpload(),
    initial: "keep",
    about:
      "What is done with the local file once its object is verified and described. A directory for `move:` must lie outside every watch.",
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
      "Delete or move also a file that only silence calls complete, although some processes that may still write it cannot be seen (another PID namespace, another user's processes, another host). Without it such a file stays, and its stream says why; a marker, a rename or `finalize` allows it.",
  }),
};
