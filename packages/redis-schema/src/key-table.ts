/**
 * Every key of the schema, and the only file that spells one: the key builders and the docs page are generated from it.
 */
import { KEPT } from "./kept.ts";

export interface KeyFacts {
  /** `<…>` marks the parts that differ from key to key. */
  pattern: string;
  type: "hash" | "list" | "sorted set" | "stream" | "string";
  /** When Redis expires it, or its maximum length; absent: kept until a script removes it. */
  kept?: string;
  writer: string;
  meaning: string;
}

const hours = (ms: number) => `${ms / 3_600_000} h`;

export const KEYS = {
  streamMeta: {
    pattern: "stream:<id>:meta",
    type: "hash",
    writer: "the worker that owns the stream; a purge removes it",
    meaning: "The stream's record; its fields are listed below.",
  },
  streamParts: {
    pattern: "stream:<id>:parts",
    type: "hash",
    writer: "the worker that owns the stream",
    meaning: "Part number → JSON of one acknowledged part, also of parts after a gap.",
  },
  streamLog: {
    pattern: "stream:<id>:log",
    type: "list",
    kept: `newest ${KEPT.logEntries} entries`,
    writer: "the worker that owns the stream",
    meaning: "The timeline, newest first: JSON of `at_utc` and `text`.",
  },
  active: {
    pattern: "streams:active",
    type: "sorted set",
    writer: "every script that moves a stream",
    meaning: "Ids of streams in `opening` or `processing`; score: last activity, ms since 1970.",
  },
  pendingCompletion: {
    pattern: "streams:pending_completion",
    type: "sorted set",
    writer: "every script that moves a stream",
    meaning:
      "Ids of streams in `pending_completion` or `s3_completed`; score: time of entering, ms since 1970.",
  },
  failed: {
    pattern: "streams:failed",
    type: "sorted set",
    writer: "every script that moves a stream",
    meaning: "Ids of streams in `failed_<reason>`; score: time of entering, ms since 1970.",
  },
  completed: {
    pattern: "streams:completed",
    type: "sorted set",
    kept: "SLUICE_HISTORY, pruned by the janitor",
    writer: "every script that moves a stream; the janitor prunes",
    meaning: "Ids of completed streams; score: time of entering, ms since 1970.",
  },
  byPath: {
    pattern: "streams:by_path",
    type: "hash",
    writer: "every script that begins, ends, revives or renames a stream; a purge releases",
    meaning: "`<source>:<path>`, raw bytes → id of the live stream of this path.",
  },
  byKey: {
    pattern: "streams:by_key",
    type: "hash",
    writer: "the worker that owns the stream; a purge releases",
    meaning: "`<bucket>/<key>` → id of the stream that has taken this S3 key (data and metadata key).",
  },
  filesDone: {
    pattern: "files:done",
    type: "hash",
    writer: "completion of a stream; a rescan removes missing files",
    meaning:
      "`<source>:<path>`, raw bytes → JSON of the completed file's identity, size, mtime, ctime, CRC32, key and ETag, and whether the path has held a shorter file since.",
  },
  filesIgnored: {
    pattern: "files:ignored",
    type: "hash",
    writer: "purge; removed by a retry of the path or a change of the file",
    meaning:
      "`<source>:<path>`, raw bytes → JSON: identity, size, mtime of a purged file, who purged it and when.",
  },
  watch: {
    pattern: "watch:<source>:<name>",
    type: "hash",
    writer: "the worker that watches it",
    meaning: "The watch root's inode and birth time, and its state (`ok`, `offline`).",
  },
  workers: {
    pattern: "workers",
    type: "sorted set",
    kept: `ids last seen more than ${hours(KEPT.deadWorkerMs)} ago go with the next registration`,
    writer: "every worker, at each renewal",
    meaning: "Worker ids; score: last renewal, ms since 1970.",
  },
  worker: {
    pattern: "worker:<id>",
    type: "hash",
    kept: `${KEPT.leaseMs / 1000} s after the last renewal`,
    writer: "the worker itself",
    meaning:
      "The worker's lease: nonce, host, process, watches, lag, bytes in flight, free space by watch, state.",
  },
  workerLast: {
    pattern: "workers:last:<id>",
    type: "hash",
    kept: `${hours(KEPT.deadWorkerMs)} after the last renewal; a worker that shuts down removes it`,
    writer: "the worker itself, at each renewal",
    meaning:
      "The fields of its lease as it last renewed it: the last report of a worker whose lease has lapsed.",
  },
  workerReport: {
    pattern: "workers:report:<id>",
    type: "hash",
    kept: `${hours(KEPT.deadWorkerMs)} after its last write`,
    writer: "the worker itself, while it holds its lease",
    meaning:
      "What it reports of itself beside its lease, JSON in each field: `settings` (its effective settings with their origins, no secrets), `troubles` (its last errors and warnings, by code), `part_seconds` (how long its parts took).",
  },
  requests: {
    pattern: "requests",
    type: "stream",
    kept: `until every item has its result, ${hours(KEPT.requestMs)} at most`,
    writer: "dashboard and command line; the worker that settles the last item removes it",
    meaning: "One entry `id` for each open request to the workers; its time is the request's age.",
  },
  request: {
    pattern: "request:<id>",
    type: "hash",
    kept: `${hours(KEPT.requestMs)}; the answer with a signed address ${KEPT.signedAddressMs / 1_000} s`,
    writer: "dashboard and command line; workers settle items",
    meaning:
      "What is requested, by whom and why, how many items are answered, and the result of each (`item:<item>`); while a worker acts on an item that others could act on too, that worker (`hold:item:<item>`).",
  },
  plan: {
    pattern: "plan:<token>",
    type: "hash",
    kept: `until it expires (${KEPT.planMs / 60_000} min unless said otherwise)`,
    writer: "dashboard and command line",
    meaning: "A planned clean-up: exact ids, counts, bytes, expiry.",
  },
  uploadsToAbort: {
    pattern: "uploads:to_abort",
    type: "hash",
    writer: "purge; the worker that aborted it removes the entry",
    meaning: "Upload id → JSON of an upload that a purge left for a worker to abort.",
  },
  orphans: {
    pattern: "orphans",
    type: "hash",
    writer: "the janitor's scan",
    meaning: "Upload id → JSON of an open upload that no stream owns: verdict, first and last seen.",
  },
  events: {
    pattern: "events",
    type: "stream",
    kept: `about ${KEPT.events} entries`,
    writer: "every script that changes a stream",
    meaning: "The live feed: which stream changed, and how.",
  },
  outbox: {
    pattern: "webhooks",
    type: "stream",
    kept: `until delivered, SLUICE_WEBHOOK_MAX_AGE at most; newest ${KEPT.outbox}`,
    writer: "the script that makes the change; the worker that delivered it removes it",
    meaning: "Messages that webhooks have to deliver, oldest first: id, event, body, stream, time.",
  },
  outboxTurn: {
    pattern: "webhooks:turn",
    type: "string",
    kept: `${KEPT.turnMs / 1000} s after the last renewal`,
    writer: "the delivering worker",
    meaning: "Nonce of the one worker process that delivers webhooks now.",
  },
  outboxReported: {
    pattern: "webhooks:noted",
    type: "hash",
    kept: "while the condition lasts",
    writer: "the delivering worker",
    meaning:
      "Which conditions of workers and watches webhooks have reported, so that each is reported once: since when, by condition.",
  },
  outboxResults: {
    pattern: "webhooks:results",
    type: "stream",
    kept: `about ${KEPT.deliveries} entries`,
    writer: "the delivering worker, or the dashboard while no worker is alive",
    meaning: "What became of webhook messages: accepted, not accepted (at growing gaps), dropped.",
  },
  outboxDropped: {
    pattern: "webhooks:dropped",
    type: "stream",
    kept: `about ${KEPT.droppedMessages} entries`,
    writer: "as `webhooks:results`; a retry in the dashboard moves one back to `webhooks`",
    meaning: "Messages that were dropped because they were too old, with their bodies.",
  },
  audit: {
    pattern: "audit",
    type: "stream",
    kept: `about ${KEPT.auditEntries} entries`,
    writer: "dashboard, command line and workers",
    meaning: "Every operator action: who, from where, what, which ids, reason, result.",
  },
  auditRefused: {
    pattern: "audit:refused",
    type: "stream",
    kept: `about ${KEPT.auditRefusals} entries`,
    writer: "dashboard",
    meaning: "Sign-ins that were refused, in the form of `audit`, and shown with it.",
  },
  stats: {
    pattern: "stats:<minute>",
    type: "hash",
    kept: hours(KEPT.statsMs),
    writer: "the scripts whose change they count",
    meaning:
      "Counters of one minute (UTC, `YYYYMMDDhhmm`), in all (`<name>`), by worker (`<name>@<worker>`) and by watch (`<name>#<source>/<watch>`); what each worker last reported in it: lag, age, source, start, whether it was blocked.",
  },
  store: {
    pattern: "store:<hash>",
    type: "string",
    writer: "the worker that probed the store",
    meaning: "JSON of the probe's answers; the hash is of endpoint, bucket and prefix.",
  },
  schema: {
    pattern: "schema",
    type: "string",
    writer: "the first worker; a newer one raises it",
    meaning: "Version of this contract; a program that knows only an older one refuses to start.",
  },
  epoch: {
    pattern: "epoch",
    type: "hash",
    writer:
      "each renewal of a lease; `id` and `since_utc` the first worker that has finished its recovery from S3",
    meaning:
      "Shows that Redis was emptied or restored from an older state: without `id`, it is unknown what S3 contains. `renewals` counts the renewals of all leases, `server` is the process (run_id) that answered the last one.",
  },
  session: {
    pattern: "session:<hash>",
    type: "hash",
    kept: `${hours(KEPT.sessionMs)}; ${hours(KEPT.sessionIdleMs)} without use`,
    writer: "dashboard",
    meaning: "A dashboard session; the hash is of its cookie, keyed by the password.",
  },
  sessions: {
    pattern: "sessions",
    type: "sorted set",
    kept: `${hours(KEPT.sessionMs)}; the newest ${KEPT.sessions}`,
    writer: "dashboard",
    meaning: "Hashes of all sessions; score: when each began, ms since 1970.",
  },
  login: {
    pattern: "login:<range>",
    type: "string",
    kept: `${KEPT.loginWindowMs / 1000} s`,
    writer: "dashboard",
    meaning: `Attempts to sign in: of an address or a /64 (at most ${KEPT.loginAttempts}), of a /24 or a /48 (${KEPT.loginAttemptsOfRange}), and of \`all\` (${KEPT.loginAttemptsInAll}).`,
  },
} as const satisfies Record<string, KeyFacts>;
