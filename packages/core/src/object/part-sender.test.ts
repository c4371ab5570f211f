/** P2: a part of unknown outcome is looked up before it is sent again; nothing S3 acknowledged goes twice. */
import { describe, expect, it } from "vitest";
import { holdsFile, lostReply, runToEnd, streams, testWorld, WEAK_PROFILE } from "../../test/test-world.ts";
import { CheckpointError, StoreError } from "../errors.ts";
import { audit } from "../testing/audit.ts";
import { atCall, either, type Script } from "../testing/failing.ts";
import { PART, sampleBytes } from "../testing/test-values.ts";
import type { World, WorldOptions } from "../testing/world.ts";

function withFile(options: Partial<WorldOptions> = {}): { world: World; path: string } {
  const world = testWorld(options);
  const path = world.path("a.bin");
  world.disk.append(path, sampleBytes(2 * PART, 1));
  return { world, path };
}

const lost: Script = atCall("uploadPart", 1, { when: "after", throw: lostReply() });
const notReached: Script = atCall("uploadPart", 1, { when: "before", throw: lostReply() });

describe("a part whose answer is lost", () => {
  it.each([
    ["was taken: its CRC32 tells", {}, lost, {}, 2],
    ["was taken: its ETag tells, where there is no CRC32", { checksum: "md5" as const }, lost, {}, 2],
    [
      "was taken, from the file range: its ETag tells",
      { checksum: "md5" as const },
      lost,
      { bufferBytes: 1024 },
      2,
    ],
    ["was taken, and nothing tells: it goes again", WEAK_PROFILE, lost, {}, 3],
    ["never arrived: it is sent", {}, notReached, {}, 2],
  ])("C5: %s", async (_case, profile, storeScript, options, stored) => {
    const { world, path } = withFile({ profile });
    await runToEnd(world, { ...options, storeScript });
    expect(holdsFile(world, "a.bin", path)).toBe(true);
    expect(world.store.count("uploadPart")).toBe(stored);
    expect(world.redis.stats.retries).toBe(storeScript === notReached || stored === 3 ? 1 : 0);
  });

  it("while the look-up fails too is looked up until that is answered", async () => {
    const { world } = withFile();
    const away = (): StoreError =>
      new StoreError({ trouble: "unreachable", code: "ETIMEDOUT", message: "away" });
    const noListing: Script = (call) =>
      call.method === "listParts" && call.nth < 20 ? { when: "before", throw: away() } : undefined;
    await runToEnd(world, { storeScript: either(lost, noListing) });
    expect(audit(world)).toEqual([]);
    expect(world.store.count("uploadPart")).toBe(2);
  });

  it("is of another upload's time when the file changed meanwhile: the new bytes are what counts", async () => {
    const { world, path } = withFile();
    const storeScript: Script = (call) => {
      if (call.method !== "uploadPart" || call.nth !== 1) return undefined;
      world.disk.rewrite(path, 7, new Uint8Array([1]));
      return { when: "after", throw: lostReply() };
    };
    await runToEnd(world, { storeScript });
    expect(audit(world)).toEqual([]);
    expect(holdsFile(world, "a.bin", path)).toBe(true);
  });
});

it("S37: a part that arrives damaged is sent again, and fails the stream only when that goes on", async () => {
  const { world } = withFile();
  const garbled = (): StoreError =>
    new StoreError({ trouble: "garbled", code: "BadDigest", message: "differs" });
  const storeScript: Script = (call) =>
    call.method === "uploadPart" ? { when: "before", throw: garbled() } : undefined;
  await runToEnd(world, { storeScript });
  expect(streams(world)[0]?.status).toBe("failed_verify_mismatch");
});

it("R18: with Redis away no more parts go up than have a slot, and all of them count when it is back", async () => {
  const world = testWorld();
  const path = world.path("a.bin");
  world.disk.append(path, sampleBytes(6 * PART, 1));
  let away = false;
  const worker = world.worker({
    checkpointScript: (call) =>
      away && call.method === "write" ? { when: "before", throw: redisAway() } : undefined,
    onFailpoint: (name) => void (name === "upload_recorded" && (away = true)),
  });
  await worker.scan();
  await world.clock.advance(3_600_000);
  expect(world.store.count("uploadPart")).toBe(2);
  away = false;
  await worker.work();
  expect(audit(world)).toEqual([]);
  expect(holdsFile(world, "a.bin", path)).toBe(true);
});

function redisAway(): Error {
  return new CheckpointError("Redis cannot be reached");
}
