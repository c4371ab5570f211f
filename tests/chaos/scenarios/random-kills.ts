/** Twenty files grow while the worker is killed at random moments and the network does what networks do. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Fault } from "../rig/proxy.ts";
import { random, roundSeed, type Random } from "../rig/random.ts";
import { Recorder } from "../rig/recorder.ts";
import type { Operation } from "../rig/s3-request.ts";
import type { Rig } from "../rig/rig.ts";
import { MIB, type World } from "../rig/world.ts";
import type { Scenario, Verdict } from "../scenario.ts";

const FILES = 20;
const KILLS_A_ROUND = 20;
const PACE = { mostBytes: MIB, mostMs: 2_000, fileBytes: 24 * MIB };
/** A kill comes within this time of the start, or at a request about a file, whichever is drawn. */
const LONGEST_LIFE_MS = 4_000;
const REQUESTS_TO_LIVE = 30;

export const randomKills: Scenario = {
  name: "random-kills",
  claim:
    "20 growing files, SIGKILL at random moments, network faults: every object is its file, no byte twice (P1, P2, P3, C25)",
  pace: "works",
  rounds: ({ seed, kills }) =>
    Array.from({ length: Math.ceil(kills / KILLS_A_ROUND) }, (_, n) => {
      const count = Math.min(KILLS_A_ROUND, kills - n * KILLS_A_ROUND);
      return {
        name: `round ${n + 1}: ${count} kills`,
        run: (rig) => play(rig, count, random(roundSeed(seed, n))),
      };
    }),
};

async function play(rig: Rig, kills: number, chance: Random): Promise<Verdict> {
  await using world = await rig.world({ env: { SLUICE_IDLE_TIMEOUT: "5s" } });
  let faults = 0;
  world.proxy.faultFor = ({ operation }) => {
    const fault = draw(operation, chance);
    if (fault) faults += 1;
    return fault;
  };
  const recorder = new Recorder(chance, PACE);
  for (let line = 0; line < FILES; line += 1) recorder.begin((n) => world.path(`cam-${line}-take-${n}.mxf`));
  for (let kill = 0; kill < kills; kill += 1) await liveAndDie(world, chance);
  await recorder.end();
  await world.start();
  await world.settled(recorder.paths);
  const { problems, figures } = await world.audit({
    files: recorder.paths.map((path) => ({ path, key: path.slice(world.root.length + 1), versions: 1 })),
  });
  return {
    problems,
    figures: { ...figures, kills: world.kills, killsInRequests: world.killsInRequests, faults },
  };
}

async function liveAndDie(world: World, chance: Random): Promise<void> {
  const worker = world.launch();
  if (chance.chance(0.5)) {
    // Anywhere, in its start too.
    await sleep(chance.between(100, LONGEST_LIFE_MS));
  } else {
    let left = chance.between(1, REQUESTS_TO_LIVE);
    const asked = Promise.withResolvers<void>();
    const stop = world.proxy.watch(({ key }) => {
      if (key !== "") left -= 1;
      if (left <= 0) asked.resolve();
    });
    const patience = setTimeout(asked.resolve, 3 * LONGEST_LIFE_MS);
    await asked.promise;
    clearTimeout(patience);
    stop();
  }
  await world.kill(worker);
}

/** One request in ten meets trouble. Listings and probes too: nothing is spared. */
function draw(operation: Operation, chance: Random): Fault | undefined {
  if (!chance.chance(0.1)) return undefined;
  const body = operation === "UploadPart" || operation === "PutObject";
  return chance.pick<Fault>([
    { kind: "lose_reply" },
    { kind: "reset" },
    { kind: "delay", ms: chance.between(50, 2_000) },
    { kind: "refuse", status: 503, code: "SlowDown" },
    { kind: "refuse", status: 500, code: "InternalError" },
    body ? { kind: "cut_body", afterBytes: chance.between(0, MIB) } : { kind: "reset" },
  ]);
}
