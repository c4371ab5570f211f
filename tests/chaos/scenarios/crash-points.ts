/** Every row of CRASH_POINTS: the real worker dies by SIGKILL in that gap, three ways, and the next ones must mend it. */
import { CRASH_POINTS, type CrashPoint } from "../../../packages/core/src/testing/crash-points.ts";
import { loseLastWrite } from "../rig/append-only-file.ts";
import { random, roundSeed, type Random } from "../rig/random.ts";
import type { Rig } from "../rig/rig.ts";
import type { World } from "../rig/world.ts";
import type { Scenario, Verdict } from "../scenario.ts";
import { FILE, PLOTS, endingOf, shaOf } from "./stories.ts";

const DEATHS = ["kill", "kill + lost last Redis write", "kill, and kill in the recovery"] as const;
type Death = (typeof DEATHS)[number];

export const crashPoints: Scenario = {
  name: "crash-points",
  claim:
    "SIGKILL in every gap between two side effects loses nothing, sends nothing twice, leaves nothing (P1, P2, P3)",
  pace: "works",
  rounds: ({ seed }) =>
    CRASH_POINTS.flatMap((point, row) =>
      DEATHS.map((death, column) => ({
        name: `${point.id} ${point.gap}: ${death}`,
        run: (rig) => die(rig, point, death, random(roundSeed(seed, row * DEATHS.length + column))),
      })),
    ),
};

async function die(rig: Rig, point: CrashPoint, death: Death, chance: Random): Promise<Verdict> {
  const plot = PLOTS[point.story];
  await using world = await rig.world({ env: plot.env ?? {} });
  const path = world.path(FILE);
  const worker = world.launch({ FAILPOINT: `${point.failpoint}:kill@${point.nth}` });
  await plot.play(world, path);
  const sha256 = await shaOf(path);
  await world.until(`the worker dies at ${point.failpoint}`, () => !worker.running);
  await worker.exited;
  world.kills += 1;
  await plot.after?.(world, path);
  const lost = death === "kill + lost last Redis write" ? await loseWrite(world) : 0;
  if (death === "kill, and kill in the recovery") await dieRecovering(world, chance);
  const last = await world.start();
  const ending = endingOf(plot, sha256 ?? (await shaOf(path)));
  await ending.settled(world);
  const { code } = await last.terminate();
  const { problems, figures } = await world.audit(ending.verdict(path, FILE));
  if (code !== 0) problems.push(`SIGTERM ended the worker with ${code}`);
  return { problems, figures: { ...figures, kills: world.kills, redisCommandsLost: lost } };
}

async function loseWrite(world: World): Promise<number> {
  await world.redis.kill();
  const lost = loseLastWrite(world.redis.directory);
  await world.redis.start();
  return lost;
}

/** Twice: at its first or second request about the file, or a moment after it went to work where it makes none. */
async function dieRecovering(world: World, chance: Random): Promise<void> {
  for (let death = 0; death < 2; death += 1) {
    const nth = chance.between(1, 2 + death);
    let seen = 0;
    const asked = Promise.withResolvers<void>();
    const stop = world.proxy.watch(({ key }) => {
      if (!key.startsWith(FILE)) return;
      seen += 1;
      if (seen === nth) asked.resolve();
    });
    const worker = await world.start();
    const quiet = setTimeout(asked.resolve, chance.between(50, 1_500));
    await asked.promise;
    clearTimeout(quiet);
    stop();
    await world.kill(worker);
  }
}
