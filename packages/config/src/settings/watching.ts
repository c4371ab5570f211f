/** The settings of what is watched. */
import { setting } from "../setting.ts";
import { list } from "../values/collections.ts";
import { duration, oneOf, text } from "../values/scalars.ts";

const group = "What is watched";
const DAY = 86_400_000;

const globs = () => list("glob patterns separated by commas, such as *.mp4,**/raw/*.{wav,flac}");

export const POLLING = ["auto", "on", "off"] as const;
export type Polling = (typeof POLLING)[number];

export const HARDLINKS = ["allow", "refuse"] as const;

export const watchingSettings = {
  source: setting({
    name: "SOURCE",
    group,
    type: text("a name without spaces, slashes and colons", (value) => /^[^\s/:\p{Cc}]{1,200}$/u.test(value)),
    computed: "the host name; in a container it must be set",
    about:
      "The volume that the files are on, not the process. Streams belong to it, so it must outlive restarts and reschedules of the worker.",
  }),
  watch: setting({
    name: "WATCH",
    group,
    type: list("directories separated by commas, each as path or name=path"),
    computed: "none; this or `watches` in the file is required",
    about:
      "Directories to watch. A watch's name is the directory's, unless given. The rules of a watch are set in the file, under `watches`, by name or path.",
  }),
  rescanIntervalMs: setting({
    name: "RESCAN_INTERVAL",
    group,
    type: duration({ from: 1_000, to: DAY }),
    initial: "10s",
    about:
      "The interval at which every watch is walked. File events only make discovery faster; the walk finds everything. While events work, a walk passes over completed files in directories whose names are as before, and looks at them once a minute (of more than 60,000 files more rarely, at least every five minutes); and a watch with more than 20,000 files to look at is walked less often, at least once a minute.",
  }),
};

/** Settings that a watch in the file may have for itself. */
export const watchingRules = {
  include: setting({
    name: "INCLUDE",
    group,
    type: globs(),
    initial: "",
    about:
      "Only files that match are uploaded; empty means all. A pattern without a slash is matched against the name, one with a slash against the path below the watch. A hidden file is included only by a pattern that names its dot.",
  }),
  exclude: setting({
    name: "EXCLUDE",
    group,
    type: globs(),
    initial: "",
    about: "Files that match are ignored, whatever `include` says.",
  }),
  polling: setting({
    name: "POLLING",
    group,
    type: oneOf(POLLING),
    initial: "auto",
    about:
      "`on`: rely on the rescan alone. `auto`: on for file systems that report no changes made elsewhere (NFS, SMB, FUSE, 9p, overlay), off for others.",
  }),
  ignoreOlderThanMs: setting({
    name: "IGNORE_OLDER_THAN",
    group,
    type: duration({ from: 1_000, to: 3_650 * DAY }),
    about:
      "Files whose last write is longer ago than this when they are first seen are ignored. Not set: all files are uploaded.",
  }),
  hardlinks: setting({
    name: "HARDLINKS",
    group,
    type: oneOf(HARDLINKS),
    initial: "allow",
    about:
      "A file with more than one name may be one from outside the watch, put there under a second name. `allow`: it is uploaded when it belongs to the owner of the directory it is in, or to the worker's own user unless that is root; any other is left alone and named in the log. `refuse`: no file with more than one name is uploaded.",
  }),
};
