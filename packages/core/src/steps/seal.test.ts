/** P1: what is sealed is the file as it stood; a change in any moment of the seal is seen. */
import { describe, expect, it } from "vitest";
import { holdsFile, runToEnd, streams, testWorld } from "../../test/test-world.ts";
import type { Failpoint } from "../failpoints.ts";
import { audit } from "../testing/audit.ts";
import { BUCKET, PART, sampleBytes } from "../testing/test-values.ts";
import type { World } from "../testing/world.ts";

const sentParts = (world: World): (number | undefined)[] =>
  world.store.log
    .filter((entry) => entry.op === "uploadPart" && entry.outcome === "stored")
    .map((entry) => entry.part);

const sorted = (parts: (number | undefined)[]): number[] =>
  parts.map((n) => n ?? 0).toSorted((a, b) => a - b);

/** Does something when a gap is reached for the nth time. */
const when = (name: Failpoint, nth: number, act: () => void) => {
  let times = 0;
  return (reached: Failpoint): void => {
    if (reached === name && (times += 1) === nth) act();
  };
};

function withParts(
  bytes = 3 * PART + 500,
  rules: Partial<World["rules"]> = {},
): { world: World; path: string } {
  const world = testWorld({ rules });
  const path = world.path("a.bin");
  world.disk.append(path, sampleBytes(bytes, 1));
  return { world, path };
}

const HEADER = new Uint8Array([9, 8, 7, 6]);

describe("the verify pass", () => {
  it("D7k: is not fooled by a network file system whose cached attributes are older than the last write", async () => {
    const { world, path } = withParts();
    const onFailpoint = when("verifying", 2, () => {
      world.files.cacheLooks(path);
      world.disk.rewrite(path, 36, HEADER);
    });
    await runToEnd(world, { onFailpoint });
    expect(audit(world)).toEqual([]);
    expect(streams(world)).toHaveLength(1);
  });

  it("F1: sends a part that was rewritten in place again, under its number, and no other", async () => {
    const { world, path } = withParts();
    const onFailpoint = when("part_recorded", 3, () => world.disk.rewrite(path, 36, HEADER));
    await runToEnd(world, { onFailpoint });
    expect(audit(world)).toEqual([]);
    expect(sorted(sentParts(world))).toEqual([1, 1, 2, 3, 4]);
    expect(streams(world)[0]?.verify_result).toBe("3 parts read again, 1 sent again");
  });

  it("F2: sends all of them again when all were shifted", async () => {
    const { world, path } = withParts();
    const onFailpoint = when("part_recorded", 3, () => world.disk.rewrite(path, 0, sampleBytes(3 * PART, 7)));
    await runToEnd(world, { onFailpoint });
    expect(audit(world)).toEqual([]);
    expect(sorted(sentParts(world))).toEqual([1, 1, 2, 2, 3, 3, 4]);
  });

  it.each([
    ["edges", 0, true],
    ["edges", PART + 5, false],
    ["off", 0, false],
  ] as const)(
    "with %s and a change at byte %i: the object equals the file: %s",
    async (verify, at, equal) => {
      const { world, path } = withParts(3 * PART + 500, { verify });
      const onFailpoint = when("part_recorded", 3, () => world.disk.rewrite(path, at, HEADER));
      await runToEnd(world, { onFailpoint });
      expect(holdsFile(world, "a.bin", path)).toBe(equal);
      expect(streams(world)[0]).toMatchObject({ status: "completed", verify_mode: verify });
    },
  );

  it("C12: leaves a tail that is being cut again to that, also when its old bytes changed: no two sizes of it race", async () => {
    const { world, path } = withParts(PART + 500);
    const onFailpoint = when("part_recorded", 2, () => {
      world.disk.rewrite(path, PART + 5, HEADER);
      world.disk.append(path, sampleBytes(300, 4));
    });
    await runToEnd(world, { onFailpoint });
    expect(audit(world)).toEqual([]);
    const tails = world.store.log.filter((entry) => entry.op === "uploadPart" && entry.part === 2);
    expect(tails.map((entry) => entry.bytes)).toEqual([500, 800]);
  });

  it("F5: finds a file that was truncated and grew past what was sent between two looks", async () => {
    const { world, path } = withParts();
    const onFailpoint = when("part_recorded", 3, () => {
      world.disk.truncate(path, 100);
      world.disk.append(path, sampleBytes(3 * PART + 900, 4));
    });
    await runToEnd(world, { onFailpoint });
    expect(audit(world)).toEqual([]);
    expect(holdsFile(world, "a.bin", path)).toBe(true);
  });
});

describe("a file that changes while it is being sealed", () => {
  it.each([
    ["C9: grows", (world: World, path: string) => world.disk.append(path, sampleBytes(PART, 3))],
    [
      "grows by less than a part",
      (world: World, path: string) => world.disk.append(path, sampleBytes(10, 3)),
    ],
    ["is rewritten behind the pass", (world: World, path: string) => world.disk.rewrite(path, 3, HEADER)],
    ["is touched", (world: World, path: string) => world.disk.touch(path)],
    ["changes its mode", (world: World, path: string) => world.disk.changeMode(path)],
  ])("%s: is sealed again as it is then, in the same upload", async (_case, act) => {
    const { world, path } = withParts();
    await runToEnd(world, { onFailpoint: when("verifying", 2, () => act(world, path)) });
    expect(audit(world)).toEqual([]);
    expect(world.store.count("createUpload")).toBe(1);
    expect(world.store.versions(BUCKET, "a.bin")).toHaveLength(1);
    expect(world.redis.log(streams(world)[0]?.id ?? "")).toContain(
      "the file changed while it was being sealed",
    );
  });

  it("F8: is another file: the old stream ends, the new one is stored", async () => {
    const { world, path } = withParts();
    const onFailpoint = when("verifying", 1, () => world.disk.replace(path, sampleBytes(900, 8)));
    await runToEnd(world, { onFailpoint });
    expect(audit(world)).toEqual([]);
    expect(streams(world).map((record) => record.status)).toEqual(["failed_file_replaced", "completed"]);
  });

  it("F4, S7: is shorter than what was sent: the old stream ends, the file as it is is stored", async () => {
    const { world, path } = withParts();
    const onFailpoint = when("verifying", 1, () => world.disk.truncate(path, PART));
    await runToEnd(world, { onFailpoint });
    expect(audit(world)).toEqual([]);
    expect(streams(world).map((record) => record.status)).toEqual(["failed_file_truncated", "completed"]);
  });

  it("never comes to rest under finalize: it is not read over and over without a pause", async () => {
    const { world, path } = withParts(PART + 5);
    const worker = world.worker({
      onFailpoint: (name) => void (name === "verifying" && world.disk.touch(path)),
    });
    await worker.scan();
    await world.clock.advance(1_000);
    await [...worker.processors.values()][0]?.finalize(true);
    const before = world.files.bytesRead;
    await world.clock.advance(60_000);
    expect((world.files.bytesRead - before) / PART).toBeLessThan(2 * (60 / 5) + 2);
  });
});

describe("a file without use for its upload", () => {
  it("S10: that became empty before its first part is stored as an empty object, its upload removed", async () => {
    const { world, path } = withParts(PART);
    const onFailpoint = when("upload_recorded", 1, () => world.disk.truncate(path, 0));
    await runToEnd(world, { onFailpoint });
    expect(audit(world)).toEqual([]);
    expect(world.store.object(BUCKET, "a.bin")?.bytes).toHaveLength(0);
  });
});

describe("parts larger than a pooled buffer", () => {
  const buffer = { bufferBytes: 1024 * 1024 };

  it("are sent from the file, opened again, and the whole is the same", async () => {
    const { world, path } = withParts();
    await runToEnd(world, buffer);
    expect(audit(world)).toEqual([]);
    expect(holdsFile(world, "a.bin", path)).toBe(true);
  });

  it("so is a file that has no full part and still does not fit a buffer", async () => {
    const { world, path } = withParts(2 * 1024 * 1024);
    await runToEnd(world, buffer);
    expect(audit(world)).toEqual([]);
    expect(holdsFile(world, "a.bin", path)).toBe(true);
    expect(sentParts(world)).toEqual([1]);
  });

  it("P1: are not sent with other bytes than their checksum says; the change is seen and sent", async () => {
    const { world, path } = withParts(PART);
    const onFailpoint = when("part_sending", 1, () => world.disk.rewrite(path, PART - 9, HEADER));
    await runToEnd(world, { ...buffer, onFailpoint });
    expect(audit(world)).toEqual([]);
    expect(holdsFile(world, "a.bin", path)).toBe(true);
    expect(
      world.store.log.filter((entry) => entry.op === "uploadPart" && entry.outcome === "stored"),
    ).toHaveLength(1);
  });

  it("F12: wait for a volume that gives no bytes, and close no gate for it", async () => {
    const { world, path } = withParts(PART);
    const worker = world.worker({
      ...buffer,
      onFailpoint: when("part_sending", 1, () => world.files.failReads(3)),
    });
    await worker.work();
    expect(audit(world)).toEqual([]);
    expect(holdsFile(world, "a.bin", path)).toBe(true);
    expect(worker.deps.gate.state.blocked).toBe(false);
  });
});
