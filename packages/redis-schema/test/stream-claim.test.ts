/** Who may take a stream, what a claim changes, and how many round trips many of them cost. */
import { CheckpointError, failed, streamId, type StreamId } from "@sluice/core";
import { StreamStore, type RedisClient } from "@sluice/redis-schema";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  after,
  lease,
  line,
  meta,
  NOW,
  record,
  startHarness,
  stored,
  stream,
  text,
  W1,
  W2,
  type Harness,
  type Schema,
  type State,
} from "./harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.stop());

const s1 = streamId("s1");
const ownerless = after(record({ status: "processing", s3_upload_id: "u", fence: 3, revision: 6 }), {
  owner: null,
});
const ofW1 = { ...ownerless, owner: "w1" };

async function claimed(schema: Schema, by = W2, dead: string[] = []) {
  const store = new StreamStore(schema, by);
  for (const nonce of dead) store.markDead(nonce);
  return store.claim([s1]);
}

describe("a stream is claimed when", () => {
  const rows: { claim: string; seed: State; dead?: string[]; detail: string }[] = [
    { claim: "it has no owner", seed: { ...lease(W2), ...stored(ownerless) }, detail: "taken by w2" },
    {
      claim: "its owner's lease is gone",
      seed: { ...lease(W2), ...stored(ofW1) },
      detail: "taken over from w1 by w2",
    },
    {
      claim: "its owner's process is known to be dead, although the lease stands",
      seed: { ...lease(W1), ...lease(W2), ...stored(ofW1) },
      dead: ["nonce-1"],
      detail: "taken over from w1 by w2",
    },
    {
      claim: "the caller's own id owns it already (an earlier process under this id)",
      seed: { ...lease(W2), ...stored({ ...ofW1, owner: "w2" }) },
      detail: "taken by w2",
    },
  ];
  test.each(rows)(
    "$claim: next fence, same revision, said in the timeline",
    async ({ seed, dead, detail }) => {
      const schema = harness.fresh();
      await schema.seed(seed);
      const want = { ...ownerless, owner: "w2", fence: 4 };
      expect(await claimed(schema, W2, dead)).toEqual([{ kind: "claimed", record: want }]);
      expect(await schema.state()).toEqual({
        ...seed,
        ...stored(want),
        "stream:s1:log": [line(detail, "w2")],
        events: stream({
          type: "log",
          subject: "s1",
          at: String(NOW),
          status: "processing",
          detail,
          worker: "w2",
        }),
      });
    },
  );
});

describe("a claim for a retry", () => {
  test.each([
    ["another worker's", lease(W1), ofW1],
    ["our own", {}, { ...ofW1, owner: "w2" }],
    ["nobody's", {}, ownerless],
  ] as const)("D8f: changes nothing of a live stream: %s", async (_, leases, of) => {
    const schema = harness.fresh();
    await schema.seed({ ...leases, ...lease(W2), ...stored(of) });
    const state = await schema.state();
    const claim = await new StreamStore(schema, W2).claimFailed(s1);
    expect(claim).toEqual({ id: s1, kind: "ended", status: "processing" });
    expect(await schema.state()).toEqual(state);
  });

  test("D8f: takes a failed one", async () => {
    const schema = harness.fresh();
    const of = { ...ownerless, status: failed("file_missing") };
    await schema.seed({ ...lease(W2), ...stored(of, { index: "failed" }) });
    expect(await new StreamStore(schema, W2).claimFailed(s1)).toMatchObject({ kind: "claimed", fence: 4 });
  });
});

describe("a claim changes nothing when", () => {
  test("a living worker holds the stream", async () => {
    const schema = harness.fresh();
    await schema.seed({ ...lease(W1), ...lease(W2), ...stored(ofW1) });
    const state = await schema.state();
    expect(await claimed(schema, W2, ["some-other-nonce"])).toEqual([{ kind: "held", by: "w1" }]);
    expect(await schema.state()).toEqual(state);
  });

  test("there is no record", async () => {
    const schema = harness.fresh();
    await schema.seed(lease(W2));
    expect(await claimed(schema)).toEqual([{ kind: "absent" }]);
    expect(await schema.state()).toEqual(lease(W2));
  });

  test("R13: the record was written by a newer version", async () => {
    const schema = harness.fresh();
    await schema.seed({ ...lease(W2), ...stored({ ...ownerless, schema_version: 99 }) });
    const state = await schema.state();
    const store = new StreamStore(schema, W2);
    expect(await store.claimAny([s1])).toEqual([{ id: "s1", kind: "newer", version: 99 }]);
    expect(await store.claim([s1])).toEqual([{ kind: "absent" }]);
    expect(await schema.state()).toEqual(state);
  });

  test("the stream is completed", async () => {
    const schema = harness.fresh();
    await schema.seed({
      ...lease(W2),
      ...stored({ ...ownerless, status: "completed" }, { index: "completed" }),
    });
    const state = await schema.state();
    expect(await new StreamStore(schema, W2).claimAny([s1])).toEqual([
      { id: "s1", kind: "ended", status: "completed" },
    ]);
    expect(await schema.state()).toEqual(state);
  });

  test("R11: a key of the stream holds another type; the others are claimed all the same", async () => {
    const schema = harness.fresh();
    await schema.seed({ ...lease(W2), "stream:bad:meta": text("not a hash"), ...stored(ownerless) });
    const claims = await new StreamStore(schema, W2).claimAny([streamId("bad"), s1]);
    expect(claims.map(({ kind }) => kind)).toEqual(["unreadable", "claimed"]);
    expect((await schema.state())["stream:bad:meta"]).toEqual(text("not a hash"));
  });

  test("our own lease has lapsed", async () => {
    const schema = harness.fresh();
    await schema.seed(stored(ownerless));
    const state = await schema.state();
    await expect(claimed(schema)).rejects.toThrow(CheckpointError);
    expect(await schema.state()).toEqual(state);
  });
});

test("of two workers that claim the same stream at once exactly one gets it", async () => {
  const schema = harness.fresh();
  await schema.seed({ ...lease(W1), ...lease(W2), ...stored(ownerless) });
  const claims = (await Promise.all([claimed(schema, W1), claimed(schema, W2)])).flat();
  expect(claims.map(({ kind }) => kind).toSorted()).toEqual(["claimed", "held"]);
});

test("a failed stream can be claimed, for a retry", async () => {
  const schema = harness.fresh();
  const broken = { ...ownerless, status: failed("file_missing"), failure_reason: "file_missing" };
  await schema.seed({ ...lease(W2), ...stored(broken, { index: "failed" }) });
  const [claim] = await claimed(schema);
  expect(claim).toEqual({ kind: "claimed", record: { ...broken, owner: "w2", fence: 4 } });
});

test("a worker that wakes up after its stream was taken over writes nothing", async () => {
  const schema = harness.fresh();
  await schema.seed({ ...lease(W1), ...lease(W2), ...stored(ofW1) });
  await claimed(schema, W2, ["nonce-1"]);
  const state = await schema.state();
  const late = new StreamStore(schema, W1);
  expect(await late.write(ofW1, { from: ["processing"], patch: { bytes_sent: 1 } })).toEqual({
    kind: "lost",
    detail: "it belongs to w2",
  });
  await late.release(ofW1);
  expect(await schema.state()).toEqual(state);
});

test("a record that is not whole is not taken by claim, and said", async () => {
  const schema = harness.fresh();
  await schema.seed({
    ...lease(W2),
    "stream:s1:meta": { status: "processing", original_path: "/rec/a.mkv" },
  });
  const notices: string[] = [];
  const store = new StreamStore(schema, W2, ({ text: words }) => notices.push(words));
  expect(await store.claim([s1])).toEqual([{ kind: "absent" }]);
  expect(notices).toEqual(["its record is incomplete: it was not taken"]);
  expect((await schema.state())["stream:s1:meta"]).not.toHaveProperty("owner");
});

test("a released stream can be taken at once, and releasing it again changes nothing", async () => {
  const schema = harness.fresh();
  await schema.seed({ ...lease(W1), ...lease(W2), ...stored(ofW1) });
  const store = new StreamStore(schema, W1);
  await store.release(ofW1);
  const state = await schema.state();
  expect(state["stream:s1:meta"]).not.toHaveProperty("owner");
  expect(state["stream:s1:log"]).toEqual([line("released by w1")]);
  await store.release(ofW1);
  expect(await schema.state()).toEqual(state);
  expect(await claimed(schema)).toMatchObject([{ kind: "claimed" }]);
});

describe("a founding record", () => {
  const founding = {
    original_path: "/rec/old.mkv",
    s3_bucket: "bkt",
    s3_key_prefix: "",
    s3_upload_id: "up-old",
  };

  test("is claimed as it is and filled in with one adopting write", async () => {
    const schema = harness.fresh();
    await schema.seed({
      ...lease(W1),
      "stream:s1:meta": founding,
      "stream:s1:parts": { "1": '{"PartNumber": 1, "ETag": "\\"abc\\"", "Size": 5}' },
    });
    const store = new StreamStore(schema, W1);
    const [claim] = await store.claimAny([s1]);
    expect(claim).toMatchObject({
      kind: "claimed",
      fence: 1,
      parsed: { kind: "founding", founding: { ...founding, status: "processing", fence: 1, revision: 0 } },
    });
    expect([...(await store.parts(s1)).values()]).toEqual([
      { PartNumber: 1, ETag: "abc", Size: 5, Offset: 0 },
    ]);

    const whole = record({
      ...founding,
      status: "processing",
      s3_key: "old.mkv",
      next_part: 2,
      bytes_sent: 5,
    });
    const write = { from: ["processing" as const], patch: {}, takeKeys: ["bkt/old.mkv"], log: ["filled in"] };
    expect(await store.adopt(whole, write)).toEqual({ kind: "written" });
    const state = await schema.state();
    expect(state["stream:s1:meta"]).toEqual({ ...meta(whole), revision: "1" });
    expect(state["streams:by_path"]).toEqual({ "src:/rec/old.mkv": "s1" });
    expect(state["streams:by_key"]).toEqual({ "bkt/old.mkv": "s1" });
    expect(await store.adopt(whole, write)).toEqual({ kind: "written" });
    expect(await schema.state()).toEqual(state);
  });

  test("whose path another stream has taken is not adopted", async () => {
    const schema = harness.fresh();
    const other = record({ id: streamId("s2"), original_path: "/rec/old.mkv" });
    await schema.seed({ ...lease(W1), "stream:s1:meta": founding, ...stored(other) });
    const store = new StreamStore(schema, W1);
    await store.claimAny([s1]);
    const whole = record({ ...founding, status: "processing" });
    expect(await store.adopt(whole, { from: ["processing"], patch: {} })).toEqual({
      kind: "path_taken",
      by: "s2",
    });
  });
});

describe("500 streams", () => {
  const ids = Array.from({ length: 500 }, (_, at) => streamId(`many-${at}`));

  async function seedMany(schema: Schema, owner: string): Promise<void> {
    for (const id of ids) {
      await harness.raw.hset(schema.keys.streamMeta(id), meta({ ...ofW1, id, owner }));
    }
    await schema.seed(lease(W2));
  }

  test("of a dead worker are claimed in two round trips, with their owners known in one", async () => {
    const schema = harness.fresh();
    await seedMany(schema, "w-dead");
    const store = new StreamStore(schema, W2);
    const owners = new Map<StreamId, string>(ids.map((id) => [id, "w-dead"]));
    const known = await roundTrips(schema.redis, async () => {
      const claims = await store.claimAny(ids, owners);
      expect(claims.every(({ kind }) => kind === "claimed")).toBe(true);
    });
    expect(known).toBe(1);
    await seedMany(schema, "w-dead-2");
    const unknown = await roundTrips(schema.redis, async () => {
      const claims = await store.claim(ids);
      expect(claims.every(({ kind }) => kind === "claimed")).toBe(true);
    });
    expect(unknown).toBe(2);
  });

  test("have their parts read in one round trip, and their next writes made in one", async () => {
    const schema = harness.fresh();
    await seedMany(schema, "w2");
    const store = new StreamStore(schema, W2);
    expect(await roundTrips(schema.redis, () => Promise.all(ids.map((id) => store.parts(id))))).toBe(1);
    const writes = await roundTrips(schema.redis, async () => {
      const outcomes = await Promise.all(
        ids.map((id) =>
          store.write({ ...ofW1, id, owner: "w2" }, { from: ["processing"], patch: { bytes_sent: 8 } }),
        ),
      );
      expect(outcomes.every(({ kind }) => kind === "written")).toBe(true);
    });
    expect(writes).toBe(1);
  });
});

/** Batches written to the socket while `work` runs: each is answered before the next one goes out. */
async function roundTrips(redis: RedisClient, work: () => Promise<unknown>): Promise<number> {
  if (!(redis instanceof Redis)) throw new Error("a single connection is counted");
  const pipeline = redis.pipeline.bind(redis);
  let count = 0;
  redis.pipeline = (commands) => {
    count += 1;
    return pipeline(commands);
  };
  try {
    await work();
  } finally {
    redis.pipeline = pipeline;
  }
  return count;
}
