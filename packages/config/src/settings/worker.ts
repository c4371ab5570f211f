/** The worker process: its name, its shutdown, how long data is kept, and its health endpoint. */
import { setting } from "../setting.ts";
import { duration, freeSpace, onOff, oneOf, text, wholeNumber } from "../values/scalars.ts";
import { host } from "../values/urls.ts";

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;
const DAY = 24 * HOUR;

export const ON_TERM = ["pause", "seal"] as const;
export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
export const LOG_FORMATS = ["auto", "json", "pretty"] as const;

export const workerSettings = {
  workerId: setting({
    name: "WORKER_ID",
    group: "The worker",
    type: text("a name without spaces, slashes and colons", (value) => /^[^\s/:\p{Cc}]{1,200}$/u.test(value)),
    computed: "<host name>-<http port>",
    about: "Names this worker process in records, in the dashboard and in logs.",
  }),
  startBlocked: setting({
    name: "START_BLOCKED",
    group: "The worker",
    type: onOff(),
    initial: "false",
    about:
      "Start even if the bucket or a watched directory is missing, the credentials are rejected or a permission is denied: the worker waits, reports why in `/readyz`, and begins when it is fixed. Otherwise such a start is refused with exit code 78, unless this source has live streams already.",
  }),
  onTerm: setting({
    name: "ON_TERM",
    group: "The worker",
    type: oneOf(ON_TERM),
    initial: "pause",
    about:
      "On SIGTERM: `pause` saves and releases all streams, and the next start resumes them. `seal` completes every file that no process is seen writing, for a sidecar whose volume ends with its pod; a file with a temporary name stays as it is, is logged, and makes the exit code 75.",
  }),
  drainTimeoutMs: setting({
    name: "DRAIN_TIMEOUT",
    group: "The worker",
    type: duration({ from: 100, to: DAY, zero: "do not wait" }),
    initial: "25s",
    about:
      "How long the worker may take to finish parts in flight when it is stopped. Keep it below the grace period of whatever stops it.",
  }),
  stallAfterMs: setting({
    name: "STALL_AFTER",
    group: "The worker",
    type: duration({ from: SECOND, to: 7 * DAY }),
    initial: "2m",
    about: "A file that grew while none of its parts was uploaded for this long is shown as stalled.",
  }),
  freeSpaceWarning: setting({
    name: "FREE_SPACE_WARNING",
    group: "The worker",
    type: freeSpace({ ms: { from: 60 * SECOND, to: 30 * DAY } }),
    initial: "10%,6h",
    about:
      "When to warn that the disk of a watch fills: less than this share or size is free for users other than root, or none is left after this time at the rate of the last half hour, whichever comes first. `off`: never.",
  }),
  historyMs: setting({
    name: "HISTORY",
    group: "The worker",
    type: duration({ from: SECOND, to: 3_650 * DAY, zero: "removed at once" }),
    initial: "7d",
    about:
      "How long completed streams are listed. That a file is completed is remembered as long as the file exists.",
  }),
  failedUploadRetentionMs: setting({
    name: "FAILED_UPLOAD_RETENTION",
    group: "The worker",
    type: duration({ from: SECOND, to: 3_650 * DAY, zero: "removed at once" }),
    initial: "7d",
    about:
      "How long the upload of a superseded stream (file replaced or truncated), or of a file that vanished under a temporary name, is kept. Uploads of other failed streams are kept until they are purged or aborted.",
  }),
  orphanAgeMs: setting({
    name: "ORPHAN_AGE",
    group: "The worker",
    type: duration({ from: 60 * SECOND, to: 3_650 * DAY }),
    initial: "24h",
    about: "An upload of Sluice's own that no stream owns is offered for clean-up at this age.",
  }),
  httpHost: setting({
    name: "HTTP_HOST",
    group: "Health, metrics and logs",
    type: host(),
    initial: "127.0.0.1",
    about:
      "The address at which the worker serves `/livez`, `/readyz` and `/metrics`; `0.0.0.0` in a container.",
  }),
  httpPort: setting({
    name: "HTTP_PORT",
    group: "Health, metrics and logs",
    type: wholeNumber(0, 65_535),
    initial: "9464",
    about: "The port of the health endpoint; 0 picks any free one.",
  }),
  logLevel: setting({
    name: "LOG_LEVEL",
    group: "Health, metrics and logs",
    type: oneOf(LOG_LEVELS),
    initial: "info",
    about: "The lowest level that is logged.",
  }),
  logFormat: setting({
    name: "LOG_FORMAT",
    group: "Health, metrics and logs",
    type: oneOf(LOG_FORMATS),
    initial: "auto",
    about: "`json`: one JSON object per line. `pretty`: for people. `auto`: pretty on a terminal, else json.",
  }),
  redisEmbedded: setting({
    name: "REDIS_EMBEDDED",
    group: "Set by npm start",
    type: onOff(),
    initial: "false",
    about: "Redis runs only as long as this machine's `npm start`, so the host name is a sufficient source.",
  }),
  demo: setting({
    name: "DEMO",
    group: "Set by npm start",
    type: onOff(),
    initial: "false",
    about: "Sample recordings are being generated; the dashboard says so.",
  }),
};
