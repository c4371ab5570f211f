/** Between looks at the file, the end of one part begins the next. */
import { expect, it } from "vitest";
import { streams, testWorld } from "../../test/test-world.ts";
import { LIMITS } from "../limits.ts";
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
