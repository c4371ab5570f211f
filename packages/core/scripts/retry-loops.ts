/** The register of loops that try again: where each stands, what bounds it, which test proves the bound. */
export interface RetryLoop {
  name: string;
  /** File that holds the loop; a test checks that it exists. */
  where: string;
  bound: string;
  /** File that holds the test; a test checks that it exists. */
  test: string;
}

export const LOOPS: readonly RetryLoop[] = [
  {
    name: "request to a store in trouble",
    where: "packages/core/src/processor/store-gate.ts",
    bound: "no end, by intent; one request at a time in the whole worker, full-jitter backoff up to 30 s",
    test: "packages/core/src/processor/store-gate.test.ts",
  },
  {
    name: "request of one stream that the store refuses",
    where: "packages/core/src/processor/patient-store.ts",
    bound:
      "denied key: 15 min, then failed_access_denied; garbled: 10 attempts, then failed_verify_mismatch; rejected: no end, backoff up to 30 s, shown",
    test: "packages/core/src/processor/patient-store.test.ts",
  },
  {
    name: "write to a Redis that does not answer",
    where: "packages/core/src/processor/held-stream.ts",
    bound:
      "no end, by intent, until the worker stops; backoff up to 30 s; parts in flight wait in their slots",
    test: "packages/core/src/processor/held-stream.test.ts",
  },
  {
    name: "repair after InvalidPart",
    where: "packages/core/src/processor/seal.ts",
    bound: "3 rounds, then failed_verify_mismatch",
    test: "packages/core/src/processor/seal.test.ts",
  },
  {
    name: "seal of a file that keeps changing",
    where: "packages/core/src/processor/finish.ts",
    bound: "back to growing each time; a new seal needs a new reason to call the file complete",
    test: "packages/core/src/processor/grow.test.ts",
  },
  {
    name: "next free name (keep-both)",
    where: "packages/core/src/processor/open-object.ts",
    bound: "1,000 names, then failed_object_conflict",
    test: "packages/core/src/processor/put-whole.test.ts",
  },
  {
    name: "webhook that is not accepted",
    where: "apps/worker/src/webhooks/deliverer.ts",
    bound:
      "SLUICE_WEBHOOK_MAX_AGE, then dropped and counted; full-jitter backoff up to 30 s per stream, 8 calls at once, each within 10 s",
    test: "apps/worker/test/webhooks.test.ts",
  },
  {
    name: "lease of an earlier process",
    where: "apps/worker/src/streams/lease-keeper.ts",
    bound: "one TTL and one renewal, then the start is refused",
    test: "apps/worker/test/lease.test.ts",
  },
  {
    name: "renewal of the own lease",
    where: "apps/worker/src/streams/lease-keeper.ts",
    bound: "no end; nothing is completed once it is older than 12 s",
    test: "apps/worker/test/lease.test.ts",
  },
  {
    name: "stream stopped by a fault of ours",
    where: "apps/worker/src/streams/processor-pool.ts",
    bound: "again from its checkpoint every 10 s",
    test: "apps/worker/src/streams/processor-pool.test.ts",
  },
  {
    name: "rescan of a watch",
    where: "apps/worker/src/streams/watch-runner.ts",
    bound: "every SLUICE_RESCAN_INTERVAL; callers in between share one walk",
    test: "apps/worker/src/streams/watch-runner.test.ts",
  },
];
