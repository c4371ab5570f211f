/** Two workers, one volume: the owner is frozen for longer than its lease, the other takes over, the first wakes up. */
import { GrowingFile } from "../../../apps/worker/test/rig/growing-file.ts";
import type { WorkerProcess } from "../../../apps/worker/test/rig/worker-process.ts";
import { random, roundSeed, type Random } from "../rig/random.ts";
import type { Rig } from "../rig/rig.ts";
import { PART, type World } from "../rig/world.ts";
import type { Scenario, Verdict } from "../scenario.ts";

const CI_FREEZES = 4;
const LONG_FREEZES = 100;
/** A round waits for a lease to lapse, in which nothing else happens: several worlds wait at once. */
const CI_WORLDS = 4;
const LONG_WORLDS = 10;

export const freeze: Scenario = {
  name: "freeze",
  claim:
    "SIGSTOP past the lease, takeover, SIGCONT: one writer at a time, nothing twice, the late one lets go (P7, R9)",
  pace: "waits",
  rounds({ seed, long }) {
    const worlds = long ? LONG_WORLDS : CI_WORLDS;
    const each = (long ? LONG_FREEZES : CI_FREEZES) / worlds;
    return Array.from({ length: worlds }, (_, n) => ({
      name: `world ${n + 1}: ${each} freezes`,
      run: (rig) => play(rig, each, random(roundSeed(seed, n))),
    }));
  },
};

async function play(rig: Rig, freezes: number, chance: Random): Promise<Verdict> {
  await using world = await rig.world();
  const path = world.path("live.ts");
  const file = await GrowingFile.open(path);
  const workers = new Map<string, WorkerProcess>();
  for (const id of ["left", "right"]) workers.set(id, await world.start({ SLUICE_WORKER_ID: id }));
  const problems: string[] = [];
  await file.append(PART);
  for (let round = 0; round < freezes; round += 1) {
    const before = await owned(world, path);
    const owner = workers.get(before.owner);
    if (!owner) throw new Error(`${before.owner} is no worker of this world`);
    // In the middle of a part as often as not.
    await file.append(PART + chance.between(0, PART));
    if (chance.chance(0.5))
      await world.until("a part is on its way", () => partUnderWay(world), { everyMs: 1 });
    owner.signal("SIGSTOP");
    await file.append(PART);
    const after = await world.until(
      `${before.owner}'s stream is taken over`,
      async () => {
        const now = await owned(world, path);
        return now.owner !== before.owner && now;
      },
      { withinMs: 90_000, everyMs: 100 },
    );
    if (after.fence !== before.fence + 1) problems.push(`fence ${before.fence} became ${after.fence}`);
    owner.signal("SIGCONT");
    await file.append(PART);
    await world.until(
      "every full part is in the checkpoint",
      async () => (await owned(world, path)).bytes >= Math.floor(file.size / PART) * PART,
      { everyMs: 100 },
    );
    const late = await owned(world, path);
    if (late.owner !== after.owner) problems.push(`${before.owner} took the stream back from a living owner`);
    // One that lost its lease ends itself; its supervisor starts it again.
    if (!owner.running) workers.set(before.owner, await world.start({ SLUICE_WORKER_ID: before.owner }));
  }
  await file[Symbol.asyncDispose]();
  await world.settled([path]);
  const judged = await world.audit({ files: [{ path, key: "live.ts" }] });
  return { problems: [...problems, ...judged.problems], figures: { ...judged.figures, freezes } };
}

function partUnderWay(world: World): boolean {
  const last = world.proxy.passages.findLast(({ operation }) => operation === "UploadPart");
  return last !== undefined && last.answeredAt === undefined;
}

async function owned(world: World, path: string): Promise<{ owner: string; fence: number; bytes: number }> {
  return await world.until(
    "the stream has an owner",
    async () => {
      const stream = await world.records.live(path);
      const owner = stream?.["owner"];
      return (
        owner !== undefined && {
          owner,
          fence: Number(stream?.["fence"]),
          bytes: Number(stream?.["bytes_sent"]),
        }
      );
    },
    { everyMs: 20 },
  );
}
