/** Redis is emptied while files grow, and the worker dies with it: uploads are found again by what S3 and the files say. */
import { random, roundSeed, type Random } from "../rig/random.ts";
import { GrowingFile } from "../../../apps/worker/test/rig/growing-file.ts";
import type { Rig } from "../rig/rig.ts";
import { PART } from "../rig/world.ts";
import type { Scenario, Verdict } from "../scenario.ts";

const FILES = 3;
const CI_FLUSHES = 6;
const LONG_FLUSHES = 50;
const FLUSHES_A_ROUND = 10;

export const amnesia: Scenario = {
  name: "redis-amnesia",
  claim:
    "FLUSHALL and SIGKILL in the middle of uploads: they are continued, nothing is lost or sent twice (P4, R1)",
  pace: "works",
  rounds({ seed, long }) {
    const flushes = long ? LONG_FLUSHES : CI_FLUSHES;
    const each = Math.min(FLUSHES_A_ROUND, flushes / 2);
    return Array.from({ length: flushes / each }, (_, n) => ({
      name: `round ${n + 1}: FLUSHALL and kill, ${each} times`,
      run: (rig) => forget(rig, each, random(roundSeed(seed, n))),
    }));
  },
};

async function forget(rig: Rig, times: number, chance: Random): Promise<Verdict> {
  await using world = await rig.world();
  const paths = Array.from({ length: FILES }, (_, n) => world.path(`reel-${n}.mov`));
  const files = await Promise.all(paths.map((path) => GrowingFile.open(path)));
  for (let flush = 0; flush < times; flush += 1) {
    const worker = world.launch();
    const before = world.proxy.acknowledged("UploadPart").length;
    for (const file of files) await file.append(PART + chance.between(0, PART));
    const wanted = before + chance.between(1, FILES);
    await world.until("new parts went up", () => world.proxy.acknowledged("UploadPart").length >= wanted, {
      everyMs: 5,
    });
    // Both orders: a worker that still runs when Redis is emptied must do no harm either.
    if (chance.chance(0.5)) await world.kill(worker);
    await world.records.redis.flushall();
    await world.kill(worker);
    await world.until("nothing is on its way", () => world.proxy.underWay === 0);
  }
  for (const file of files) await file[Symbol.asyncDispose]();
  await world.start();
  await world.settled(paths);
  const { problems, figures } = await world.audit({
    files: paths.map((path) => ({ path, key: path.slice(world.root.length + 1) })),
    emptyUploads: "allowed",
  });
  return { problems, figures: { ...figures, kills: world.kills, flushes: times } };
}
