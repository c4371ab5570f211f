import { expect, it } from "vitest";
import { BUCKET, ROOT } from "./roots.ts";
import { World } from "./world.ts";

const EXT4 = { birthTimes: true, reusesInodes: true, grainNs: 1, hardLinks: true };

async function oneFile(seed: number): Promise<World> {
  const world = new World({ seed, disk: EXT4 });
  world.startWorker("w1");
  await world.timeline.run(2_000);
  world.disk.append(`${ROOT}/a.bin`, new Uint8Array(1_000).fill(7));
  await world.timeline.run(120_000);
  return world;
}

it("runs the worker of production in virtual time: a file is an object two minutes later", async () => {
  const { store, faults, redis } = await oneFile(1);
  expect(store.bucket.keys()).toEqual(["inbox/a.bin", "inbox/a.bin.metadata.json"]);
  expect(
    Buffer.alloc(1_000, 7).equals(store.bucket.object(BUCKET, "inbox/a.bin")?.bytes ?? Buffer.of()),
  ).toBe(true);
  expect(faults).toEqual([]);
  expect(redis.database.keys()).toContain("files:done");
});

it("two runs of one seed are the same, line by line; another seed is another run", async () => {
  const [one, again, other] = [await oneFile(5), await oneFile(5), await oneFile(6)];
  expect(one.log).toEqual(again.log);
  expect(one.timeline.steps).toBe(again.timeline.steps);
  expect(one.log).not.toEqual(other.log);
});

it("a killed process is never heard of again, and the next one ends what it began", async () => {
  for (let call = 1; call < 400; call += 37) {
    const world = new World({ seed: call, disk: EXT4 });
    world.disk.append(`${ROOT}/a.bin`, new Uint8Array(1_000).fill(7));
    const first = world.startWorker("w1");
    first.process.killAt = { call, when: call % 2 === 0 ? "before" : "after" };
    await world.timeline.run(60_000);
    const lines = world.log.length;
    if (first.process.dead) {
      await world.timeline.run(120_000);
      expect(world.log.slice(lines).filter((line) => line.includes(" w1 "))).toEqual([]);
      world.startWorker("w1");
    }
    await world.timeline.run(300_000);
    expect(world.store.bucket.object(BUCKET, "inbox/a.bin")?.bytes, `killed at call ${call}`).toBeDefined();
    expect(world.store.bucket.uploads()).toEqual([]);
    expect(world.faults).toEqual([]);
  }
});
