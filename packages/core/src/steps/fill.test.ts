/** Between looks at the file, the end of one part begins the next. */
import { expect, it } from "vitest";
import { streams, testWorld } from "../../test/test-world.ts";
import { LIMITS } from "../limits.ts";
import type { CompleteRequest } from "../ports/object-store.ts";
import { audit } from "../testing/audit.ts";
import { PART, sampleBytes } from "../testing/test-values.ts";

it("a file that stands there whole goes up without a pause between its parts, each byte read once", async () => {
  const parts = 20;
  const world = testWorld();
  const path = world.path("a.bin");
  for (let n = 1; n <= parts; n += 1) world.disk.append(path, sampleBytes(PART, n));
  const worker = world.worker();
  await worker.scan();
  // The store answers at once here: all the time that passes would be rests between looks.
  await world.clock.advance(LIMITS.lookEveryMs);
  expect(world.store.uploads()[0]?.parts).toHaveLength(parts);
  expect(streams(world)[0]).toMatchObject({ next_part: parts + 1, bytes_sent: parts * PART });
  expect(world.files.bytesRead).toBe(parts * PART);
  world.disk.mark(path);
  await worker.work();
  expect(audit(world)).toEqual([]);
});

it("S9: parts that were acknowledged in any order are named to Complete in theirs", async () => {
  const parts = 12;
  const world = testWorld();
  const path = world.path("a.bin");
  for (let n = 1; n <= parts; n += 1) world.disk.append(path, sampleBytes(PART, n));
  world.disk.mark(path);
  let named: number[] = [];
  const worker = world.worker({
    slots: 4,
    // Within a lane's four, the later ones are answered first.
    storeDelayMs: ({ method, nth }) => (method === "uploadPart" ? 40 - 10 * (nth % 4) : 0),
    storeScript: ({ method, args }) => {
      if (method === "complete") named = (args[1] as CompleteRequest).parts.map((part) => part.PartNumber);
      return undefined;
    },
  });
  await worker.work();
  expect(audit(world)).toEqual([]);
  const inOrder = Array.from({ length: parts }, (_, at) => at + 1);
  const acknowledged = world.store.log.flatMap(({ op, part }) => (op === "uploadPart" ? [part] : []));
  expect(acknowledged).not.toEqual(inOrder);
  expect(named).toEqual(inOrder);
});
