/** When a write is refused, and that nothing changes then. */
import { CheckpointError, type StreamRecord, type StreamWrite, type WriteOutcome } from "@sluice/core";
import { StreamStore } from "@sluice/redis-schema";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { after, lease, record, startHarness, stored, W1, type Harness, type State } from "./harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.stop());

const processing = record({ status: "processing", s3_key: "a.mkv", s3_upload_id: "up1", revision: 4 });

interface Refusal {
  claim: string;
  seed: State;
  before?: StreamRecord;
  write?: Partial<StreamWrite>;
  outcome: WriteOutcome;
}

const held: State = { ...lease(W1), ...stored(processing) };
const refusals: Refusal[] = [
  {
    claim: "another worker owns it",
    seed: { ...lease(W1), ...stored({ ...processing, owner: "w2" }) },
    outcome: { kind: "lost", detail: "it belongs to w2" },
  },
  {
    claim: "nobody owns it",
    seed: { ...lease(W1), ...stored(after(processing, { owner: null, revision: 4 })) },
    outcome: { kind: "lost", detail: "it no longer has an owner" },
  },
  {
    claim: "the same worker id took it again, under a later fence",
    seed: { ...lease(W1), ...stored({ ...processing, fence: 2 }) },
    outcome: { kind: "lost", detail: "another owner has taken it meanwhile (fence 2)" },
  },
  {
    claim: "another process runs under the same worker id and fence (a lease rolled back by a failover)",
    seed: { "worker:w1": { nonce: "other" }, ...stored(processing) },
    outcome: { kind: "lost", detail: "another process runs under this worker id" },
  },
  {
    claim: "its state does not allow it",
    seed: { ...lease(W1), ...stored({ ...processing, status: "s3_completed" }) },
    outcome: { kind: "lost", detail: "it is s3_completed" },
  },
  {
    claim: "another write came first",
    seed: { ...lease(W1), ...stored({ ...processing, revision: 5 }) },
    outcome: { kind: "lost", detail: "another write came first (revision 5)" },
  },
  {
    claim: "its record is gone",
    seed: lease(W1),
    outcome: { kind: "older", gone: true, detail: "its record is gone" },
  },
  {
    claim: "D8b: Redis came back older: it has an earlier fence",
    seed: held,
    before: { ...processing, fence: 9 },
    outcome: { kind: "older", gone: false, detail: "Redis has an older copy of it than it confirmed" },
  },
  {
    claim: "the caller's own copy names another owner",
    seed: held,
    before: { ...processing, owner: "w2" },
    outcome: { kind: "lost", detail: "it belongs to w2" },
  },
  {
    claim: "one of two keys is taken by a stream that is there",
    seed: { ...held, "streams:by_key": { "bkt/b": "s2" }, "stream:s2:meta": { status: "opening" } },
    write: { takeKeys: ["bkt/a", "bkt/b"] },
    outcome: { kind: "key_taken", by: "s2" },
  },
];

describe("a write is refused, and nothing changes, when", () => {
  test.each(refusals)("$claim", async ({ seed, before, write, outcome }) => {
    const schema = harness.fresh();
    await schema.seed(seed);
    const state = await schema.state();
    const attempt: StreamWrite = {
      from: ["processing"],
      patch: { bytes_sent: 99 },
      log: ["never"],
      ...write,
    };
    expect(await new StreamStore(schema, W1).write(before ?? processing, attempt)).toEqual(outcome);
    expect(await schema.state()).toEqual(state);
  });

  test("our lease has lapsed: the write waits until it is renewed", async () => {
    const schema = harness.fresh();
    await schema.seed(stored(processing));
    const store = new StreamStore(schema, W1);
    const write: StreamWrite = { from: ["processing"], patch: { bytes_sent: 99 } };
    await expect(store.write(processing, write)).rejects.toThrow(CheckpointError);
    await schema.seed(lease(W1));
    expect(await store.write(processing, write)).toEqual({ kind: "written" });
  });

  test("a different write carries the revision of one that was made", async () => {
    const schema = harness.fresh();
    await schema.seed(held);
    const store = new StreamStore(schema, W1);
    await store.write(processing, { from: ["processing"], patch: { bytes_sent: 8 } });
    const other = await store.write(processing, { from: ["processing"], patch: { bytes_sent: 9 } });
    expect(other).toEqual({ kind: "lost", detail: "another write came first (revision 5)" });
  });
});
