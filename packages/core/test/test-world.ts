/** A world with quick digests, and the few words that tests of the processor are written in. */
import type { WorkerOptions } from "../src/testing/test-worker.ts";
import { BUCKET, equalBytes } from "../src/testing/test-values.ts";
import { World, type WorldOptions } from "../src/testing/world.ts";
import { StoreError } from "../src/errors.ts";
import type { StreamRecord } from "../src/stream/record.ts";
import { quickDigests } from "./node-digests.ts";

export function testWorld(options: Partial<WorldOptions> = {}): World {
  return new World({ digests: quickDigests, ...options });
}

/** One worker works until nothing is left to do. */
export async function runToEnd(world: World, options: WorkerOptions = {}) {
  const worker = world.worker(options);
  await worker.work();
  return worker;
}

/** The records, oldest first. */
export function streams(world: World): StreamRecord[] {
  return world.redis.ids().flatMap((id) => world.redis.record(id) ?? []);
}

/** Whether the object at the key holds exactly the file's bytes. */
export function holdsFile(world: World, key: string, path: string): boolean {
  const object = world.store.object(BUCKET, key);
  return object !== undefined && equalBytes(object.bytes, world.disk.bytes(path));
}

export function lostReply(): StoreError {
  return new StoreError({
    trouble: "unreachable",
    code: "ECONNRESET",
    message: "reset",
    outcomeUnknown: true,
  });
}

/** A store that lacks nearly everything. */
export const WEAK_PROFILE = {
  checksum: "off",
  etagIsMd5: false,
  repeatComplete: false,
  conditionalComplete: false,
  conditionalPut: false,
} as const;
