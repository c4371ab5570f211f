/** P5: whatever becomes of the reply to Complete, the stream ends with its own verified object, or says why not. */
import { describe, expect, it } from "vitest";
import { holdsFile, lostReply, runToEnd, streams, testWorld, WEAK_PROFILE } from "../../test/test-world.ts";
import { StoreError } from "../errors.ts";
import type { Failpoint } from "../failpoints.ts";
import { LIMITS } from "../limits.ts";
import { audit } from "../testing/audit.ts";
import { atCall, either, type Script } from "../testing/failing.ts";
import { MemoryCheckpointStore } from "../testing/memory-checkpoint-store.ts";
import { BUCKET, PART, sampleBytes } from "../testing/test-values.ts";
import type { World, WorldOptions } from "../testing/world.ts";
import { STREAM_ID_HEADER } from "./object-headers.ts";

/** A file of one full part and a tail. */
function withFile(options: Partial<WorldOptions> = {}): { world: World; path: string } {
  const world = testWorld(options);
  const path = world.path("a.bin");
  world.disk.append(path, sampleBytes(PART + 1_000, 1));
  return { world, path };
}

const afterwards = (name: Failpoint, act: () => void) => {
  let done = false;
  return (reached: Failpoint): void => {
    if (reached !== name || done) return;
    done = true;
    act();
  };
};

const lost: Script = atCall("complete", 1, { when: "after", throw: lostReply() });
const refused = new StoreError({
  trouble: "throttled",
  code: "SlowDown",
  message: "reduce your rate",
  status: 503,
});
const inProgress = new StoreError({
  trouble: "unreachable",
  code: "InternalError",
  message: "already in progress",
  status: 500,
});

describe("when the reply to Complete is lost", () => {
  it.each([
    ["S14: a repeated Complete answers 200", {}, lost],
    ["S14: a repeated Complete answers NoSuchUpload", { repeatComplete: false }, lost],
    [
      "S15: a repeated Complete answers 500",
      {},
      either(lost, atCall("complete", 2, { when: "before", throw: inProgress })),
    ],
    [
      "S24: the reply is 412 for its own success",
      {},
      atCall("complete", 1, { answer: { kind: "conflict" }, made: true }),
    ],
    [
      "S12, S16: the reply is 200 without an ETag",
      {},
      atCall("complete", 1, { answer: { kind: "completed", etag: undefined }, made: true }),
    ],
    ["C14: the request never arrived", {}, atCall("complete", 1, { when: "before", throw: lostReply() })],
    [
      "S12: 200 without an ETag, and nothing was done",
      {},
      atCall("complete", 1, { answer: { kind: "completed", etag: undefined }, made: false }),
    ],
    ["S14: on a store that lacks nearly everything", WEAK_PROFILE, lost],
  ] as const)("C14: %s: the object counts once", async (_case, profile, storeScript) => {
    const { world, path } = withFile({ profile });
    await runToEnd(world, { storeScript });
    expect(audit(world)).toEqual([]);
    expect(holdsFile(world, "a.bin", path)).toBe(true);
    expect(world.store.versions(BUCKET, "a.bin")).toHaveLength(1);
  });

  it("P11: any number of times, the stream does not fail", async () => {
    const { world } = withFile();
    const storeScript: Script = (call) =>
      call.method === "complete" && call.nth <= 40 ? { when: "before", throw: lostReply() } : undefined;
    await runToEnd(world, { storeScript });
    expect(audit(world)).toEqual([]);
    expect(world.store.count("complete")).toBe(1);
  });

  it("C15: and the file grows before the next start, all of it goes again and replaces our own object", async () => {
    const { world, path } = withFile();
    const first = world.worker({ dieAt: { failpoint: "completed_in_store", nth: 1 } });
    await first.work();
    world.disk.append(path, sampleBytes(77, 2));
    await runToEnd(world);
    expect(audit(world)).toEqual([]);
    expect(holdsFile(world, "a.bin", path)).toBe(true);
    expect(streams(world)).toHaveLength(1);
  });
});

describe("when the store does not hold a part as it was named", () => {
  it.each([
    ["S5, S6: an older request finishes late", {}],
    ["S5: and no digest tells what it left", WEAK_PROFILE],
  ])("%s: that part alone is sent again", async (_case, profile) => {
    const { world, path } = withFile({ profile });
    const onFailpoint = afterwards("completing", () => {
      const [upload] = world.store.uploads();
      world.store.overwritePart(upload?.uploadId ?? "", 1, sampleBytes(PART, 99));
    });
    await runToEnd(world, { onFailpoint });
    expect(holdsFile(world, "a.bin", path)).toBe(true);
    const sent = world.store.log.filter((entry) => entry.op === "uploadPart").map((entry) => entry.part);
    expect(sent).toEqual([1, 2, 1]);
  });

  it("S5: a late finisher that left the right bytes under another ETag is adopted, not sent again", async () => {
    const { world, path } = withFile({ profile: { etagIsMd5: false } });
    const onFailpoint = afterwards("completing", () => {
      const [upload] = world.store.uploads();
      world.store.overwritePart(upload?.uploadId ?? "", 1, world.disk.bytes(path).slice(0, PART));
    });
    await runToEnd(world, { onFailpoint });
    expect(holdsFile(world, "a.bin", path)).toBe(true);
    expect(world.store.count("uploadPart")).toBe(2);
  });

  it("S1: and repairs do not help, the stream fails with its upload kept", async () => {
    const { world } = withFile();
    const storeScript: Script = (call) =>
      call.method === "complete"
        ? { answer: { kind: "invalid_part", detail: "EntityTooSmall" }, made: false }
        : undefined;
    await runToEnd(world, { storeScript });
    expect(streams(world)[0]?.status).toBe("failed_verify_mismatch");
    expect(world.store.uploads()).toHaveLength(1);
  });

  it("P1: a file that changes during the repair is not completed as it was", async () => {
    const { world, path } = withFile();
    let acked = 0;
    const onFailpoint = (name: Failpoint): void => {
      if (name === "completing" && world.store.count("complete") === 0) {
        const [upload] = world.store.uploads();
        world.store.overwritePart(upload?.uploadId ?? "", 1, sampleBytes(PART, 99));
      }
      if (name === "part_acknowledged" && (acked += 1) === 3)
        world.disk.rewrite(path, PART + 5, new Uint8Array([7]));
    };
    await runToEnd(world, { onFailpoint });
    // That is the repair: what the older request left in its place had to go.
    expect(audit(world)).toEqual(["part 1 of upload-1 was sent twice"]);
    expect(holdsFile(world, "a.bin", path)).toBe(true);
    expect(world.store.versions(BUCKET, "a.bin")).toHaveLength(1);
  });
});

describe("when an object of another program appears", () => {
  const foreign = sampleBytes(PART + 1_000, 5);

  it.each([
    ["S24: the store has conditional Complete", {}, "a.bin"],
    ["X12: it has not, and HeadObject asks right before", { conditionalComplete: false }, "a.bin"],
  ])("S24: %s: it is not overwritten, the stream fails and keeps its upload", async (_case, profile, key) => {
    const { world } = withFile({ profile });
    let put = false;
    const storeScript: Script = (call) => {
      // Between the verify pass and Complete; without a condition, just before HeadObject asks.
      const due = call.method === (world.store.profile.conditionalComplete ? "complete" : "head");
      if (due && !put && world.store.count("uploadPart") === 2) {
        put = true;
        world.store.putForeign(BUCKET, key, foreign);
      }
      return undefined;
    };
    await runToEnd(world, { storeScript });
    expect(streams(world)[0]?.status).toBe("failed_object_conflict");
    expect(world.store.object(BUCKET, key)?.bytes).toHaveLength(foreign.length);
    expect(world.store.versions(BUCKET, key)).toHaveLength(1);
    expect(world.store.uploads()).toHaveLength(1);
  });

  it("S25: with overwrite it is replaced", async () => {
    const { world, path } = withFile({ rules: { onConflict: "overwrite" } });
    const onFailpoint = afterwards("settled", () => world.store.putForeign(BUCKET, "a.bin", foreign));
    await runToEnd(world, { onFailpoint });
    expect(audit(world)).toEqual([]);
    expect(holdsFile(world, "a.bin", path)).toBe(true);
  });

  it("of the file's own size while the reply is lost: it is not taken for ours", async () => {
    const { world } = withFile({ profile: { conditionalComplete: false, repeatComplete: false } });
    const storeScript: Script = (call) => {
      if (call.method !== "complete") return undefined;
      world.store.putForeign(BUCKET, "a.bin", foreign);
      return { when: "before", throw: lostReply() };
    };
    await runToEnd(world, { storeScript });
    expect(streams(world)[0]?.status).toBe("failed_object_conflict");
  });
});

describe("a store that is not as its profile says", () => {
  /** Completed once, then longer: the next generation replaces its own object. */
  async function reopened(options: Partial<WorldOptions>) {
    const { world, path } = withFile(options);
    await runToEnd(world);
    world.disk.append(path, sampleBytes(77, 2));
    await runToEnd(world);
    return { world, path };
  }

  it.each([
    ["refuses every If-Match", { ifMatchOnComplete: "refused_always" }, /If-Match/],
    [
      "refuses If-Match and forgets completed uploads",
      { ifMatchOnComplete: "refused_always", repeatComplete: false },
      /If-Match/,
    ],
    ["ignores If-Match", { ifMatchOnComplete: "ignored" }, undefined],
  ] as const)(
    "D6a: that %s: the object is replaced, and what was found is said",
    async (_case, behaves, said) => {
      const { world, path } = await reopened({ behaves });
      expect(audit(world)).toEqual([]);
      expect(holdsFile(world, "a.bin", path)).toBe(true);
      expect(world.store.demotions).toHaveLength(said === undefined ? 0 : 1);
      if (said) expect(world.store.demotions[0]).toMatch(said);
      expect(world.store.profile.ifMatchOnComplete).toBe(said ? "refused_always" : "honoured");
    },
  );

  it.each(["refused_always", "ignored"] as const)(
    "D6a: If-Match known to be %s is not sent",
    async (ifMatchOnComplete) => {
      const { world, path } = await reopened({ profile: { ifMatchOnComplete } });
      expect(holdsFile(world, "a.bin", path)).toBe(true);
      expect(world.store.demotions).toEqual([]);
      expect(world.store.count("complete")).toBe(2);
    },
  );

  it("D6a: an If-None-Match that is refused although nothing stands there is used no more", async () => {
    const { world, path } = withFile();
    const storeScript: Script = (call) =>
      call.method === "complete" && call.nth <= 2 ? { answer: { kind: "conflict" }, made: false } : undefined;
    await runToEnd(world, { storeScript });
    expect(holdsFile(world, "a.bin", path)).toBe(true);
    expect(world.store.profile.conditionalComplete).toBe(false);
  });

  const LISTINGS = [
    ["with all parts", false],
    ["without parts", true],
  ] as const;
  const PROFILES = [
    ["the probe knows it", "profile", {}],
    ["the probe does not", "behaves", {}],
    ["and Complete is not repeated", "behaves", { repeatComplete: false }],
    ["and digests say nothing", "behaves", { etagIsMd5: false, checksum: "off", repeatComplete: false }],
  ] as const;
  for (const [listed, endedWithoutParts] of LISTINGS) {
    it.each(PROFILES)(
      `D6b: an ended upload is listed ${listed}, %s: a lost reply, and a kill after it, send no part again`,
      async (_case, known, profile) => {
        const lies = { listPartsEndsWithComplete: false, listPartsEndsWithAbort: false };
        const options = {
          endedWithoutParts,
          profile: { ...profile, ...(known === "profile" && lies) },
          behaves: lies,
        };
        const alive = withFile(options);
        await runToEnd(alive.world, { storeScript: lost });
        const killed = withFile(options);
        await killed.world.worker({ dieAt: { failpoint: "completed_in_store", nth: 1 } }).work();
        await runToEnd(killed.world);
        for (const { world, path } of [alive, killed]) {
          expect(holdsFile(world, "a.bin", path)).toBe(true);
          expect(streams(world).map(({ status }) => status)).toEqual(["completed"]);
          expect(world.store.versions(BUCKET, "a.bin")).toHaveLength(1);
          expect(world.store.count("uploadPart")).toBe(2);
        }
      },
    );
  }
});

describe("what stands there after a clean Complete", () => {
  it("is sent again when it is not what was sent, and the stream fails when that does not mend it", async () => {
    const { world } = withFile();
    let times = 0;
    const onFailpoint = (name: Failpoint): void => {
      if (name !== "completed_in_store") return;
      times += 1;
      const metadata = { [STREAM_ID_HEADER]: streams(world)[0]?.id ?? "" };
      world.store.putForeign(BUCKET, "a.bin", sampleBytes(10, times), metadata);
    };
    await runToEnd(world, { onFailpoint });
    expect(streams(world)[0]?.status).toBe("failed_verify_mismatch");
    const completed = world.store.log.filter(
      (entry) => entry.op === "complete" && entry.outcome === "completed",
    );
    expect(completed).toHaveLength(LIMITS.verifyRounds);
  });

  it("is sent again once when that does mend it", async () => {
    const { world, path } = withFile();
    const onFailpoint = afterwards("completed_in_store", () => {
      const metadata = { [STREAM_ID_HEADER]: streams(world)[0]?.id ?? "" };
      world.store.putForeign(BUCKET, "a.bin", sampleBytes(10, 1), metadata);
    });
    await runToEnd(world, { onFailpoint });
    expect(audit(world)).toEqual([]);
    expect(holdsFile(world, "a.bin", path)).toBe(true);
  });

  it.each([
    ["its CRC32", {}],
    ["its computed ETag, where the store keeps no CRC32", { checksum: "md5" as const }],
  ])(
    "P5: bears the id of an earlier record, for a stream rebuilt from S3, and is proved by %s",
    async (_case, profile) => {
      const { world, path } = withFile({ profile });
      await world.worker({ dieAt: { failpoint: "part_recorded", nth: 1 } }).work();
      const [before] = streams(world);
      if (!before) throw new Error("there is a stream");
      const parts = [...world.redis.parts(before.id).values()];
      world.redis.empty();
      // What the recovery of an emptied Redis writes: the same upload under a new id.
      const rebuilt = new MemoryCheckpointStore(world.redis, "recoverer", "n");
      const record = { ...before, id: "rebuilt" as typeof before.id, fence: 1, revision: 0 };
      await rebuilt.open({ record, log: [] });
      const mine = { ...record, owner: "recoverer" };
      await rebuilt.write(mine, { from: ["processing"], patch: {}, parts });
      world.redis.lapse("recoverer");
      await runToEnd(world);
      expect(audit(world)).toEqual([]);
      expect(streams(world).map((one) => one.status)).toEqual(["completed"]);
      expect(holdsFile(world, "a.bin", path)).toBe(true);
      expect(world.store.object(BUCKET, "a.bin")?.metadata[STREAM_ID_HEADER]).toBe(before.id);
    },
  );
});

it("P7: Complete waits for a fresh lease, also when the store was away for longer than the lease", async () => {
  const { world, path } = withFile();
  const outage = (): StoreError =>
    new StoreError({ trouble: "unreachable", code: "ETIMEDOUT", message: "away" });
  const storeScript: Script = (call) => {
    if (call.method !== "complete" || call.nth > 1) return undefined;
    worker.lease.isFresh = false;
    return { when: "before", throw: outage() };
  };
  const worker = world.worker({ storeScript });
  await worker.scan();
  await world.clock.advance(300_000);
  expect(world.store.count("complete")).toBe(0);
  expect(streams(world)[0]?.waiting_for).toContain("lease");
  worker.lease.isFresh = true;
  await worker.work();
  expect(audit(world)).toEqual([]);
  expect(holdsFile(world, "a.bin", path)).toBe(true);
});

it("P3: a worker that lost its lease, and took it again, opens no upload of a file that another has completed", async () => {
  const world = testWorld();
  const path = world.path("a.bin");
  world.disk.append(path, sampleBytes(PART + 9, 1));
  let isAway = true;
  const late = world.worker({
    storeScript: ({ method }) => {
      if (!isAway || method !== "createUpload") return undefined;
      return { when: "before", throw: refused };
    },
  });
  await late.scan();
  await world.clock.advance(120_000);
  world.redis.lapse(late.id);
  await world.worker().work();
  expect(holdsFile(world, "a.bin", path)).toBe(true);
  late.lease.heldSinceMs = world.clock.monotonicMs();
  isAway = false;
  await world.clock.advance(600_000);
  expect(late.busy).toBe(0);
  expect(audit(world)).toEqual([]);
});

it.each([
  ["a small file", 9],
  ["a file of parts", 2 * PART + 9],
])(
  "P7: a worker that lost its lease, and took it again, makes no object of %s that another has completed",
  async (_case, bytes) => {
    const world = testWorld();
    const path = world.path("a.bin");
    world.disk.append(path, sampleBytes(bytes, 1));
    let isAway = true;
    const late = world.worker({
      storeScript: ({ method }) => {
        if (!isAway || (method !== "put" && method !== "complete")) return undefined;
        return { when: "before", throw: lostReply() };
      },
    });
    await late.scan();
    await world.clock.advance(120_000);
    // The store is away for the one worker; its lease lapses, and another takes the stream with what the file has by then.
    world.redis.lapse(late.id);
    world.disk.append(path, sampleBytes(5, 2));
    await world.worker().work();
    expect(holdsFile(world, "a.bin", path)).toBe(true);
    late.lease.heldSinceMs = world.clock.monotonicMs();
    isAway = false;
    await world.clock.advance(600_000);
    expect(late.busy).toBe(0);
    expect(audit(world)).toEqual([]);
    expect(holdsFile(world, "a.bin", path)).toBe(true);
  },
);
