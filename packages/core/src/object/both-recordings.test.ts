/** An object of ours that holds another recording than the file does by now stays, however it came to stand there. */
import { expect, it } from "vitest";
import { holdsFile, lostReply, runToEnd, streams, testWorld } from "../../test/test-world.ts";
import type { CompleteRequest, UploadRef } from "../ports/object-store.ts";
import { audit } from "../testing/audit.ts";
import type { Script } from "../testing/failing.ts";
import { BUCKET, PART, sampleBytes, SOURCE } from "../testing/test-values.ts";
import type { World } from "../testing/world.ts";

const OLD = sampleBytes(900, 1);
const NEW = sampleBytes(1_200, 2);

function withFile(bytes: Uint8Array): { world: World; path: string } {
  const world = testWorld();
  const path = world.path("a.bin");
  world.disk.append(path, bytes);
  return { world, path };
}

/** As O_TRUNC does: the same file, and nothing of what it held. */
function writeAnew(world: World, path: string, bytes: Uint8Array): void {
  world.disk.truncate(path, 0);
  world.disk.append(path, bytes);
}

/** The first object as it was, and the file under the next name. */
function keepsBoth(world: World, path: string, size: number): boolean {
  expect(audit(world)).toEqual([]);
  expect(world.store.object(BUCKET, "a.bin")?.bytes).toHaveLength(size);
  return world.store.versions(BUCKET, "a.bin").length === 1 && holdsFile(world, "a-2.bin", path);
}

it("a Put that was never recorded, and a file that was written anew before the next start", async () => {
  const { world, path } = withFile(OLD);
  await world.worker({ dieAt: { failpoint: "put_in_store", nth: 1 } }).work();
  writeAnew(world, path, NEW);
  await runToEnd(world);
  expect(keepsBoth(world, path, OLD.length)).toBe(true);
});

it("a Complete that was never recorded, and a file that was written anew before the next start", async () => {
  const { world, path } = withFile(sampleBytes(PART + 1_000, 1));
  await world.worker({ dieAt: { failpoint: "completed_in_store", nth: 1 } }).work();
  writeAnew(world, path, sampleBytes(PART + 2_000, 2));
  await runToEnd(world);
  expect(keepsBoth(world, path, PART + 1_000)).toBe(true);
});

it("a Complete that takes effect late, in the life of the same worker", async () => {
  const { world, path } = withFile(sampleBytes(PART + 1_000, 1));
  let late: Parameters<World["store"]["complete"]> | undefined;
  const storeScript: Script = ({ method, nth, args }) => {
    if (method === "complete" && nth === 1) {
      late = args as [UploadRef, CompleteRequest];
      return { when: "before", throw: lostReply() };
    }
    if (method !== "listParts" || !late) return undefined;
    // The memory store acts at once.
    void world.store.complete(...late);
    late = undefined;
    writeAnew(world, path, sampleBytes(PART + 2_000, 2));
    return undefined;
  };
  await runToEnd(world, { storeScript });
  expect(keepsBoth(world, path, PART + 1_000)).toBe(true);
});

it("an upload that was opened to replace it, and a file that was cut and written anew before Complete", async () => {
  const { world, path } = withFile(sampleBytes(PART + 1_000, 1));
  await runToEnd(world);
  world.disk.append(path, sampleBytes(500, 3));
  // Whoever saw the file shorter notes that at its entry.
  const onFailpoint = (name: string): void => {
    if (name === "settled") world.redis.seenShorter(SOURCE, path);
  };
  await runToEnd(world, { onFailpoint });
  expect(streams(world).map(({ status }) => status)).toEqual(["completed", "completed"]);
  expect(keepsBoth(world, path, PART + 1_000)).toBe(true);
});

it("a Put whose comparison met another file than the one that was read", async () => {
  const { world, path } = withFile(OLD);
  await runToEnd(world);
  const grown = new Uint8Array([...OLD, ...NEW.subarray(0, 10)]);
  world.disk.rewrite(path, 0, NEW);
  let swapped = false;
  const storeScript: Script = ({ method }) => {
    if (method !== "head" || swapped) return undefined;
    swapped = true;
    world.disk.truncate(path, 0);
    world.disk.append(path, grown);
    return undefined;
  };
  await runToEnd(world, { storeScript });
  expect(swapped).toBe(true);
  expect(holdsFile(world, "a.bin", path)).toBe(true);
  // OLD, and what extends it: NEW never stood there.
  expect(world.store.versions(BUCKET, "a.bin")).toHaveLength(2);
});
