/** Files that were completed long ago and stayed on the volume: whatever Redis forgets, none of their bytes goes again. */
import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { Rig } from "../rig/rig.ts";
import type { World } from "../rig/world.ts";
import type { Scenario, Verdict } from "../scenario.ts";

const CI_FILES = 150;
const LONG_FILES = 1_000;
const LARGE_EVERY = 50;
const LARGE_BYTES = 5 * 1024 * 1024 + 4_321;

export const keptFiles: Scenario = {
  name: "kept-files",
  claim: "files kept after their upload are not sent again when history is over, nor after FLUSHALL (P4)",
  pace: "works",
  rounds({ long }) {
    const count = long ? LONG_FILES : CI_FILES;
    return [{ name: `${count} kept files: expired history, then FLUSHALL`, run: (rig) => keep(rig, count) }];
  },
};

async function keep(rig: Rig, count: number): Promise<Verdict> {
  await using world = await rig.world({ env: { SLUICE_HISTORY: "0" } });
  const paths = Array.from({ length: count }, (_, n) => world.path(`day-${n % 7}/clip-${n}.wav`));
  for (const [n, path] of paths.entries()) {
    mkdirSync(dirname(path), { recursive: true });
    await writeFile(path, new Uint8Array(randomBytes(n % LARGE_EVERY === 0 ? LARGE_BYTES : 1 + (n % 4_096))));
  }
  const latest = world.path("latest");
  const first = await world.start();
  await world.settled(paths);
  await first.terminate();
  const problems: string[] = [];
  const afterHistory = await sentBy(world, async () => {
    const worker = await world.start();
    // A file made now is seen by a walk that has seen all the others.
    await writeFile(latest, "");
    await world.settled([latest]);
    await world.kill(worker);
  });
  if (afterHistory > 0) problems.push(`${afterHistory} data requests after history was over`);
  await world.records.redis.flushall();
  const afterFlush = await sentBy(world, async () => {
    await world.start();
    await world.settled(paths);
  });
  if (afterFlush > 0) problems.push(`${afterFlush} data requests after FLUSHALL`);
  const judged = await world.audit({
    files: [...paths, latest].map((path) => ({
      path,
      key: path.slice(world.root.length + 1),
      recordGone: true,
    })),
  });
  return {
    problems: [...problems, ...judged.problems],
    figures: { ...judged.figures, kills: world.kills, dataRequestsAgain: afterHistory + afterFlush },
  };
}

/** Requests that carry a file's bytes, or open an upload for them. */
async function sentBy(world: World, work: () => Promise<void>): Promise<number> {
  const from = world.proxy.passages.length;
  await work();
  return world.proxy.passages
    .slice(from)
    .filter(({ key }) => key.startsWith("day-") && !key.endsWith(".metadata.json"))
    .filter(({ operation }) => ["PutObject", "UploadPart", "CreateMultipartUpload"].includes(operation))
    .length;
}
