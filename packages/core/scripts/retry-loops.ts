/** The register of retry loops: where each one is, what bounds it, which test proves it. */
import { LIMITS } from "../src/limits.ts";

const MOST = `${LIMITS.retryMostMs / 1_000} s`;
const OTHERS = `${LIMITS.othersWaitMs / 1_000} s`;

export interface RetryLoop {
  name: string;
  /** The file with the loop. */
  where: string;
  bound: string;
  /** The file and title of the test; undefined: no test of its own, which the page shows. */
  proves: readonly [file: string, title: string] | undefined;
}

export const LOOPS: readonly RetryLoop[] = [
  {
    name: "salvage: Complete without an effect",
    where: "packages/core/src/steps/salvage.ts",
    bound: `6 times with backoff up to ${MOST}, ListParts before each; then it is refused, and the upload is kept`,
    proves: ["packages/core/src/steps/salvage.test.ts", "whose reply to Complete is lost is done once"],
  },
  {
    name: "salvage without a record: Complete without an effect",
    where: "packages/core/src/steps/salvage-upload.ts",
    bound: "as with a record",
    proves: undefined,
  },
  {
    name: "request to an unavailable store",
    where: "packages/core/src/flow/store-gate.ts",
    bound: `unbounded by design; one request at a time of the streams that failed, and one of the others; full-jitter backoff up to ${MOST}, for the others up to ${OTHERS}`,
    proves: [
      "packages/core/src/flow/store-gate.test.ts",
      "S30: waits longer from trial to trial, and never less than Retry-After",
    ],
  },
  {
    name: "request of one stream: the key alone is denied",
    where: "packages/core/src/flow/patient-store.ts",
    bound: "15 min, then failed_access_denied",
    proves: [
      "packages/core/src/flow/patient-store.test.ts",
      "fails its stream when the key alone stays denied, and says so from the first refusal",
    ],
  },
  {
    name: "request of one stream: the store refuses its key's name",
    where: "packages/core/src/flow/patient-store.ts",
    bound: "5 times, each while another key works, then failed_name_refused",
    proves: [
      "packages/core/src/flow/patient-store.test.ts",
      "D6d: fails its stream when the key is refused for its name again and again, while another works",
    ],
  },
  {
    name: "request of one stream: the bytes arrive damaged",
    where: "packages/core/src/flow/patient-store.ts",
    bound: "10 attempts, then failed_verify_mismatch",
    proves: [
      "packages/core/src/flow/patient-store.test.ts",
      "fails its stream when the bytes keep arriving damaged, whatever else happened meanwhile",
    ],
  },
  {
    name: "the store loses the upload, again and again",
    where: "packages/core/src/steps/upload-gone.ts",
    bound: `once at once, then with backoff up to ${MOST}; 10 in a row that held parts, each within an hour of the last: failed_verify_mismatch`,
    proves: [
      "packages/core/src/steps/upload-gone.test.ts",
      "a store that completes none fails the stream, with what to do",
    ],
  },
  {
    name: "UploadPart denies the upload, ListParts shows it",
    where: "packages/core/src/steps/upload-gone.ts",
    bound: `no end, by intent; backoff up to ${MOST}, every fifth time with a new upload where no part is kept; the stream says why it waits`,
    proves: [
      "packages/core/src/steps/upload-gone.test.ts",
      "UploadPart that denies an upload which ListParts shows is waited for, says so, and heals",
    ],
  },
  {
    name: "metadata object: its condition is refused although nothing stands at its name",
    where: "packages/core/src/object/describe.ts",
    bound: `twice with the condition, then without; backoff up to ${MOST}`,
    proves: [
      "packages/core/src/object/describe.test.ts",
      "is sent again under its own name when it is refused although nothing stands there",
    ],
  },
  {
    name: "copy of one part inside the store: the store answers it with errors",
    where: "packages/core/src/object/extend.ts",
    bound: "5 times, then this part's bytes and all that follow are sent",
    proves: ["packages/core/src/object/extend.test.ts", "so is one that answers every copy with an error"],
  },
  {
    name: "request of one stream: it fails while the bucket answers",
    where: "packages/core/src/flow/patient-store.ts",
    bound: `unbounded by design; backoff up to ${MOST}, also while the gate is closed; the stream says why it waits; of two streams without an answer in between it is the store's trouble, and the gate's row holds besides`,
    proves: [
      "packages/core/src/flow/patient-store.test.ts",
      "P9: of one stream alone is made again at longer and longer pauses, and the stream says why",
    ],
  },
  {
    name: "request of one stream: the store rejects it",
    where: "packages/core/src/flow/patient-store.ts",
    bound: `unbounded by design; backoff up to ${MOST}; the stream says why it waits`,
    proves: [
      "packages/core/src/flow/patient-store.test.ts",
      "that the store rejects is made again without end, and the stream says why it waits",
    ],
  },
  {
    name: "request with credentials that expired, or a region or clock that was wrong",
    where: "packages/s3-store/src/requests.ts",
    bound: "once with new credentials, once after asking the bucket; then the whole worker waits",
    proves: [
      "packages/s3-store/test/trouble.test.ts",
      "S33 credentials that stay expired are the worker's trouble, for HeadObject as well",
    ],
  },
  {
    name: "abort of an upload whose parts are still arriving",
    where: "packages/s3-store/src/object-store.ts",
    bound: "5 times, then the caller retries later",
    proves: [
      "packages/s3-store/test/uploads.test.ts",
      "S26 gives up after five times, for the caller to come back",
    ],
  },
  {
    name: "write to a Redis that does not answer",
    where: "packages/core/src/flow/owned-stream.ts",
    bound: `unbounded by design, until the worker stops; backoff up to ${MOST}; parts in flight wait in their slots`,
    proves: [
      "packages/core/src/flow/owned-stream.test.ts",
      "R8: waits for a Redis that is away, with the same write",
    ],
  },
  {
    name: "connection to Redis",
    where: "packages/redis-schema/src/connection.ts",
    bound: "unbounded by design, until it is closed; full-jitter backoff",
    proves: [
      "packages/redis-schema/test/connection.test.ts",
      "a client waits for a Redis that comes up later, and gives up only when told to",
    ],
  },
  {
    name: "command whose path or key is held by a removed stream",
    where: "packages/redis-schema/src/stream-command.ts",
    bound: "8 such holders per command, each checked once",
    proves: [
      "packages/redis-schema/test/stream-write.test.ts",
      "a key held in the name of a stream that is gone is free",
    ],
  },
  {
    name: "claim of a stream whose owner changed meanwhile",
    where: "packages/redis-schema/src/stream-claims.ts",
    bound: "3 tries; then it is held by another",
    proves: [
      "packages/redis-schema/test/stream-claim.test.ts",
      "of two workers that claim the same stream at once exactly one gets it",
    ],
  },
  {
    name: "repair after InvalidPart",
    where: "packages/core/src/steps/seal.ts",
    bound: "3 rounds, then failed_verify_mismatch",
    proves: [
      "packages/core/src/object/complete.test.ts",
      "S1: and repairs do not help, the stream fails with its upload kept",
    ],
  },
  {
    name: "seal of a file that keeps changing",
    where: "packages/core/src/steps/seal.ts",
    bound: "back to growing each time; a new seal needs a new reason to call the file complete",
    proves: [
      "packages/core/src/steps/seal.test.ts",
      "never comes to rest under finalize: it is not read over and over without a pause",
    ],
  },
  {
    name: "small file whose object differs from what was sent",
    where: "packages/core/src/object/put-whole.ts",
    bound: "3 times, then failed_verify_mismatch",
    proves: [
      "packages/core/src/object/put-whole.test.ts",
      "and is not what was sent, goes again; when that does not mend it, the stream fails",
    ],
  },
  {
    name: "next free name (keep-both)",
    where: "packages/core/src/object/open-object.ts",
    bound: "1,000 names, then failed_object_conflict",
    proves: [
      "packages/core/src/object/open-object.test.ts",
      "is the next free name when another program's object stands there, found before a byte is sent",
    ],
  },
  {
    name: "start with a store that cannot be used yet",
    where: "apps/worker/src/start/connect-store.ts",
    bound: `unbounded by design, until the worker stops; full-jitter backoff up to ${MOST}; logged`,
    proves: [
      "apps/worker/test/start.test.ts",
      "waits also when nobody listens at its address, and can be ended meanwhile",
    ],
  },
  {
    name: "webhook that is not accepted",
    where: "packages/webhooks/src/deliverer.ts",
    bound: `SLUICE_WEBHOOK_MAX_AGE, then dropped and counted; full-jitter backoff up to ${MOST} per stream, 8 concurrent calls, each within 10 s`,
    proves: [
      "apps/worker/test/webhooks.test.ts",
      "a receiver that is down holds up nothing; once it is up every message comes, those of one stream in order",
    ],
  },
  {
    name: "lease of an earlier process",
    where: "apps/worker/src/takeover/lease-keeper.ts",
    bound: "one TTL and one renewal, then the start is refused",
    proves: [
      "apps/worker/test/lease.test.ts",
      "a lease that is renewed meanwhile refuses the start, with the remedy",
    ],
  },
  {
    name: "renewal of the own lease",
    where: "apps/worker/src/takeover/lease-keeper.ts",
    bound: "unbounded; nothing is completed once the lease is older than 12 s",
    proves: [
      "apps/worker/test/lease.test.ts",
      "R9 a lease is fresh after it was taken, and not when it was not renewed for too long",
    ],
  },
  {
    name: "recovery from an emptied Redis",
    where: "apps/worker/src/takeover/recovery.ts",
    bound: "until Redis answers, one try per pause, ends with the worker; the janitor is suspended meanwhile",
    proves: [
      "apps/worker/test/redis-emptied.test.ts",
      "costs nothing: completed files are known again, an open upload goes on where it was",
    ],
  },
  {
    name: "stream stopped by a bug",
    where: "apps/worker/src/streams/processor-pool.ts",
    bound: "again from its checkpoint every 10 s",
    proves: [
      "apps/worker/src/streams/processor-pool.test.ts",
      "a stream that stops because of a fault of ours is taken up again, ten seconds later",
    ],
  },
  {
    name: "steps of the start, with Redis unavailable",
    where: "apps/worker/src/start/redis-patience.ts",
    bound: "unbounded, at most 5 s between tries; meanwhile /readyz says what the start waits for",
    proves: [
      "apps/worker/src/start/redis-patience.test.ts",
      "D8d: a step of the start is tried until Redis lets it through, and says meanwhile what it waits for",
    ],
  },
  {
    name: "rescan of a watch",
    where: "apps/worker/src/files/watch/watch-runner.ts",
    bound: "every SLUICE_RESCAN_INTERVAL; callers in between share one walk",
    proves: [
      "apps/worker/src/files/watch/watch-runner.test.ts",
      "R18 Redis away delays the next walk, ends nothing and is told once",
    ],
  },
  {
    name: "rounds of the janitor, of takeovers, of upload age checks and of looks at free space",
    where: "apps/worker/src/streams/repeat.ts",
    bound: "one at a time, one per interval; an unavailable Redis costs a round; a bug ends the worker",
    proves: ["apps/worker/src/streams/repeat.test.ts", "Redis away costs a round, and nothing else"],
  },
  {
    name: "requests of dashboard and command line, with Redis unavailable",
    where: "apps/worker/src/requests/request-handler.ts",
    bound: "unbounded, one try per second; requests filed meanwhile are found in Redis afterwards",
    proves: [
      "apps/worker/src/requests/request-handler.test.ts",
      "with Redis away requests are looked for again each second, until it is back",
    ],
  },
  {
    name: "read of an object for a deep verify",
    where: "apps/worker/src/requests/read-back.ts",
    bound: "5 tries of one range, then an error, never a difference",
    proves: [
      "apps/worker/src/requests/read-back.test.ts",
      "that cannot be read at all is an error, not a difference",
    ],
  },
  {
    name: "result of a verify for a Redis that does not answer",
    where: "apps/worker/src/requests/verify-request.ts",
    bound: `unbounded until the worker stops; backoff up to ${MOST}`,
    proves: undefined,
  },
  {
    name: "command that waits for workers' answers",
    where: "apps/worker/src/cli/actions/ask-workers.ts",
    bound: "the time given, then exit code 75; the request stays filed for a day",
    proves: [
      "apps/worker/test/cli-actions.test.ts",
      "that is not answered in time stays filed and ends with 75; asked again it tells the answer",
    ],
  },
];

/** Files with a similar loop that is no retry. */
export const NO_RETRIES: Readonly<Record<string, string>> = {
  "packages/redis-schema/src/stream-write-back.ts": "at most 8 tries, each with another owner or holder",
  "packages/core/src/steps/completed-before.ts": "checks up to 16 names of one file",
  "apps/worker/src/streams/rereader.ts": "takes files to read again until the worker ends",
  "apps/worker/src/start/app.ts": "starts the rounds of repeat.ts",
  "apps/worker/src/observe/health-server.ts": "measures on a timer",
  "apps/worker/src/files/watch/directory-watcher.ts":
    "checks the root on a timer; the rescan finds everything",
  "apps/worker/src/files/watch/hints.ts": "takes hints until the worker ends",
  "packages/redis-schema/src/event-feed.ts": "follows the feed until its caller ends it",
  "packages/core/src/flow/retry.ts": "the arithmetic of the backoff",
  "packages/redis-schema/src/request-queue.ts": "the CLI's wait, bounded by its caller",
  "packages/redis-schema/src/stream-reader.ts": "reads pages",
  "apps/worker/src/cli/commands/top.ts": "draws again on a timer until its user ends it",
};
