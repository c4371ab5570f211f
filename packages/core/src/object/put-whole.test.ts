/** A file that fits one PutObject: one object, never over another's, whatever becomes of the reply. */
import { describe, expect, it } from "vitest";
import { holdsFile, lostReply, runToEnd, streams, testWorld, WEAK_PROFILE } from "../../test/test-world.ts";
import type { Failpoint } from "../failpoints.ts";
import { LIMITS } from "../limits.ts";
import { audit } from "../testing/audit.ts";
import { atCall, type Script } from "../testing/failing.ts";
import { BUCKET, PART, sampleBytes } from "../testing/test-values.ts";
import type { World, WorldOptions } from "../testing/world.ts";
import { STREAM_ID_HEADER } from "./object-headers.ts";

function withFile(options: Partial<WorldOptions> = {}): { world: World; path: string } {
  const world = testWorld(options);
  const path = world.path("a.bin");
  world.disk.append(path, sampleBytes(900, 1));
  return { world, path };
}

const foreign = sampleBytes(900, 5);

it("D6a, D6e: a Put refused for a condition that holds is sent without it, and that is said", async () => {
  const { world, path } = withFile();
  const storeScript: Script = (call) =>
    call.method === "put" && call.nth <= 2 ? { answer: { kind: "conflict" }, made: false } : undefined;
  await runToEnd(world, { storeScript });
  expect(holdsFile(world, "a.bin", path)).toBe(true);
  expect(world.store.profile.conditionalPut).toBe(false);
  expect(world.store.demotions).toHaveLength(1);
});

describe("a small file", () => {
  it("S11: costs two requests, data and metadata, and never an upload id", async () => {
    const { world } = withFile();
    await runToEnd(world);
    expect(audit(world)).toEqual([]);
    expect(world.store.log.map((entry) => entry.op)).toEqual(["put", "put"]);
    expect(streams(world)[0]?.s3_upload_id).toBeUndefined();
    expect(world.redis.stats).toMatchObject({ bytes_sent: 900, completed: 1 });
  });

  it("takes four writes to Redis: found, complete, stored, described", async () => {
    const { world } = withFile();
    await runToEnd(world);
    expect(streams(world)[0]).toMatchObject({ status: "completed", revision: 3 });
  });

  it("whose name another stream holds takes the next one", async () => {
    const world = testWorld();
    world.disk.append(world.path("a.bin"), sampleBytes(PART + 10, 1));
    // Two files whose names differ in a temporary suffix want one key.
    const path = world.path("a.bin.part");
    world.disk.append(path, sampleBytes(900, 2));
    const worker = world.worker();
    await worker.scan();
    await world.clock.advance(1_000);
    await [...worker.processors.values()][1]?.finalize(false);
    await worker.work();
    expect(audit(world)).toEqual([]);
    expect(holdsFile(world, "a-2.bin", path)).toBe(true);
  });

  it("S10: that is empty is an empty object", async () => {
    const world = testWorld();
    world.disk.append(world.path("a.bin"), new Uint8Array());
    await runToEnd(world);
    expect(audit(world)).toEqual([]);
    expect(world.store.object(BUCKET, "a.bin")?.bytes).toHaveLength(0);
  });

  it("that changes while it is read is read again", async () => {
    const { world, path } = withFile();
    await runToEnd(world, {
      onFailpoint: (name) =>
        void (
          name === "settled" &&
          world.disk.bytes(path).length < 2_000 &&
          world.disk.append(path, foreign)
        ),
    });
    expect(audit(world)).toEqual([]);
    expect(holdsFile(world, "a.bin", path)).toBe(true);
  });
});

describe("when the reply to Put is lost", () => {
  const cases: [string, WorldOptions["profile"], Script][] = [
    ["after it was carried out", {}, atCall("put", 1, { when: "after", throw: lostReply() })],
    ["before", {}, atCall("put", 1, { when: "before", throw: lostReply() })],
    [
      "S24: and the repeat meets its own success with 412",
      {},
      atCall("put", 1, { answer: { kind: "conflict" }, made: true }),
    ],
    [
      "on a store without conditions",
      { conditionalPut: false },
      atCall("put", 1, { when: "after", throw: lostReply() }),
    ],
    ["and no digest tells", WEAK_PROFILE, atCall("put", 1, { when: "after", throw: lostReply() })],
  ];
  it.each(cases)("%s: one object stands there, ours", async (_case, profile, storeScript) => {
    const { world, path } = withFile(profile === undefined ? {} : { profile });
    await runToEnd(world, { storeScript });
    expect(audit(world)).toEqual([]);
    expect(holdsFile(world, "a.bin", path)).toBe(true);
    expect(world.store.keys()).toEqual(["a.bin", "a.bin.metadata.json"]);
  });
});

describe("a Put whose reply is lost, and which no condition of the store keeps from landing late", () => {
  const sentAtMs = async (conditionalPut: boolean): Promise<number[]> => {
    const { world, path } = withFile({ profile: { conditionalPut } });
    const at: number[] = [];
    const storeScript: Script = ({ method, nth }) => {
      // The third is that of the metadata.
      if (method !== "put" || nth > 2) return undefined;
      at.push(world.clock.monotonicMs());
      return nth === 1 ? { when: "before", throw: lostReply() } : undefined;
    };
    await runToEnd(world, { storeScript });
    expect(audit(world)).toEqual([]);
    expect(holdsFile(world, "a.bin", path)).toBe(true);
    return at;
  };

  it("goes again once its deadline has passed", async () => {
    const [first = 0, second = 0] = await sentAtMs(false);
    expect(second - first).toBeGreaterThanOrEqual(LIMITS.storeBodyBaseMs);
  });

  it("goes again at once where the store has one", async () => {
    const [first = 0, second = 0] = await sentAtMs(true);
    expect(second - first).toBeLessThan(LIMITS.storeBodyBaseMs);
  });
});

describe("when an object of another program has the name", () => {
  it.each([
    ["the Put's condition finds it", {}],
    ["HeadObject finds it", { conditionalPut: false }],
  ])("%s: the next name is taken", async (_case, profile) => {
    const { world, path } = withFile({ profile });
    world.store.putForeign(BUCKET, "a.bin", foreign);
    world.store.putForeign(BUCKET, "a-2.bin", foreign);
    await runToEnd(world);
    expect(audit(world)).toEqual([]);
    expect(holdsFile(world, "a-3.bin", path)).toBe(true);
    expect(world.store.versions(BUCKET, "a.bin")).toHaveLength(1);
    expect(streams(world)[0]?.s3_key).toBe("a-3.bin");
  });

  it.each([
    ["fail", "failed_object_conflict", 1],
    ["overwrite", "completed", 2],
  ] as const)("with %s the stream is %s", async (onConflict, status, versions) => {
    const { world } = withFile({ rules: { onConflict } });
    world.store.putForeign(BUCKET, "a.bin", foreign);
    await runToEnd(world);
    expect(streams(world)[0]?.status).toBe(status);
    expect(world.store.versions(BUCKET, "a.bin")).toHaveLength(versions);
  });

  it("C16: and the worker dies after the Put under the next name, that one is found again though the first is free now", async () => {
    const { world, path } = withFile();
    world.store.putForeign(BUCKET, "a.bin", foreign);
    await world.worker({ dieAt: { failpoint: "put_in_store", nth: 2 } }).work();
    expect(world.store.keys()).toContain("a-2.bin");
    world.store.deleteObject(BUCKET, "a.bin");
    const before = world.store.log.length;
    await runToEnd(world);
    // Asked for, not sent again to be refused: only the metadata is still to be put.
    const puts = world.store.log.slice(before).filter((entry) => entry.op === "put");
    expect(puts.map((entry) => entry.key)).toEqual(["a-2.bin.metadata.json"]);
    expect(audit(world)).toEqual([]);
    expect(world.store.keys()).toEqual(["a-2.bin", "a-2.bin.metadata.json"]);
    expect(holdsFile(world, "a-2.bin", path)).toBe(true);
  });
});

describe("what stands there after a Put that the store does not confirm", () => {
  it("is proved by our id, its size and the reply's ETag", async () => {
    const { world } = withFile({ profile: WEAK_PROFILE });
    await runToEnd(world);
    expect(audit(world)).toEqual([]);
    // HeadObject before and after, the Put, and the same for the metadata but its confirmation.
    expect(world.store.count("put")).toBe(2);
  });

  it("and is not what was sent, goes again; when that does not mend it, the stream fails", async () => {
    const { world } = withFile({ profile: { ...WEAK_PROFILE, conditionalPut: true } });
    let times = 0;
    const onFailpoint = (name: Failpoint): void => {
      if (name !== "put_in_store") return;
      times += 1;
      world.store.putForeign(BUCKET, "a.bin", foreign.slice(3), {
        [STREAM_ID_HEADER]: streams(world)[0]?.id ?? "",
      });
    };
    await runToEnd(world, { onFailpoint });
    expect(streams(world)[0]?.status).toBe("failed_verify_mismatch");
    expect(times).toBeGreaterThanOrEqual(LIMITS.verifyRounds);
  });
});

describe("an object that holds the file's bytes already", () => {
  it("P4: is recognised with an empty Redis: nothing is sent, and its description is left as it is", async () => {
    const { world, path } = withFile();
    await runToEnd(world);
    const before = world.store.object(BUCKET, "a.bin.metadata.json")?.lastModified;
    world.redis.empty();
    await runToEnd(world, { recognise: true });
    expect(audit(world)).toEqual([]);
    expect(world.store.versions(BUCKET, "a.bin")).toHaveLength(1);
    expect(world.store.object(BUCKET, "a.bin.metadata.json")?.lastModified).toBe(before);
    expect(streams(world)[0]).toMatchObject({ status: "completed", verify_result: "recognised" });
    expect(world.redis.done("box", path)?.s3_key).toBe("a.bin");
  });

  it("P4: is recognised by the Put's 412 too", async () => {
    const { world } = withFile();
    await runToEnd(world);
    world.redis.empty();
    await runToEnd(world);
    expect(audit(world)).toEqual([]);
    expect(world.store.versions(BUCKET, "a.bin")).toHaveLength(1);
  });

  it("F3: and has fewer of them is replaced when the file grew after it was completed", async () => {
    const { world, path } = withFile();
    await runToEnd(world);
    world.disk.append(path, sampleBytes(50, 2));
    await runToEnd(world);
    expect(audit(world)).toEqual([]);
    expect(world.store.keys()).toEqual(["a.bin", "a.bin.metadata.json"]);
    expect(streams(world).map((record) => record.supersedes)).toEqual([undefined, "stream0001"]);
    expect(holdsFile(world, "a.bin", path)).toBe(true);
  });

  it("F10: of the file that had the name before is another's: the new file takes the next name", async () => {
    const { world, path } = withFile();
    await runToEnd(world);
    world.disk.replace(path, sampleBytes(5_000, 3));
    await runToEnd(world);
    expect(audit(world)).toEqual([]);
    expect(holdsFile(world, "a-2.bin", path)).toBe(true);
    expect(world.store.versions(BUCKET, "a.bin")).toHaveLength(1);
  });
});
