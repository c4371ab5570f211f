/**
 * Hosts are lost at random instants: the worker is killed and its watch directory is gone. A worker elsewhere salvages what
 * S3 holds, of some of them with an emptied Redis; some hosts come back.
 */
import { randomBytes, randomUUID } from "node:crypto";
import { mkdir, open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { keysWith, RequestQueue, type RequestAction } from "../../../packages/redis-schema/src/index.ts";
import { call, listUploads } from "../auditor/bucket.ts";
import { random, roundSeed, type Random } from "../rig/random.ts";
import type { Rig } from "../rig/rig.ts";
import { PART, type World } from "../rig/world.ts";
import type { Scenario, Verdict } from "../scenario.ts";

const HOSTS_A_ROUND = 5;
const HOSTS = { selection: 10, long: 100 };
/** Parts that may be on their way when a host is lost, and the tail after them. */
const MOST_LACKING = 5 * PART;
const NEVER_IDLE = { SLUICE_IDLE_TIMEOUT: "1h", SLUICE_IDLE_MAX: "1h" };

export const hostsLost: Scenario = {
  name: "hosts-lost",
  claim:
    "hosts lost at random instants, of one in five Redis too: after a salvage the object is exactly the file's first bytes, and a host that comes back has its whole file there (P12, P14)",
  pace: "waits",
  rounds: ({ seed, long }) =>
    Array.from({ length: (long ? HOSTS.long : HOSTS.selection) / HOSTS_A_ROUND }, (_, n) => ({
      name: `round ${n + 1}: ${HOSTS_A_ROUND} hosts${n % 5 === 1 ? ", and Redis" : ""}`,
      run: (rig) => play(rig, n % 5 === 1, random(roundSeed(seed, n))),
    })),
};

interface Host {
  name: string;
  root: string;
  /** Where its files are while it is lost. */
  away: string;
  key: string;
  /** Bytes a second. */
  rate: number;
}

async function play(rig: Rig, redisToo: boolean, chance: Random): Promise<Verdict> {
  await using world = await rig.world({ env: NEVER_IDLE });
  const hosts = Array.from({ length: HOSTS_A_ROUND }, (_, n) => hostOf(world, n, chance));
  const lost = await Promise.all(hosts.map((host) => liveAndBeLost(world, host, chance)));
  const problems: string[] = [];
  const rescue = join(world.directory, "rescue");
  await mkdir(rescue, { recursive: true });
  if (redisToo) await world.records.redis.flushall();
  await world.start({ SLUICE_SOURCE: "rescue", SLUICE_WORKER_ID: "rescue", SLUICE_WATCH: rescue });
  let lacking = 0;
  for (const host of lost.filter((one) => one !== undefined)) {
    const answer = redisToo ? await salvageByUpload(world, host) : await salvageByStream(world, host);
    if (answer !== "done") problems.push(`${host.name}: the salvage was ${answer}`);
    const file = await readFile(join(host.away, "take.mxf"));
    const object = await bytesOf(world, host.key);
    const short = file.length - object.length;
    lacking = Math.max(lacking, short);
    if (!object.equals(file.subarray(0, object.length)))
      problems.push(`${host.name}: the object is not the first bytes of its file`);
    if (short > MOST_LACKING) problems.push(`${host.name}: the object lacks ${short} bytes`);
  }
  const [back] = lost;
  if (back) problems.push(...(await comeBack(world, back)));
  return {
    problems,
    figures: {
      hosts: hosts.length,
      lost: lost.filter(Boolean).length,
      kills: world.kills,
      mostLackingBytes: lacking,
    },
  };
}

function hostOf(world: World, n: number, chance: Random): Host {
  const root = join(world.directory, `host-${n}`);
  const rate = 16 * 1024 * 2 ** chance.between(0, 9);
  return { name: `host-${n}`, root, away: `${root}.lost`, key: `host-${n}/take.mxf`, rate };
}

const envOf = ({ name, root }: Host) => ({
  SLUICE_SOURCE: name,
  SLUICE_WORKER_ID: name,
  SLUICE_WATCH: root,
  SLUICE_S3_KEY_PREFIX: `${name}/`,
});

/** Undefined: nothing of it was in S3 when it was lost. */
async function liveAndBeLost(world: World, host: Host, chance: Random): Promise<Host | undefined> {
  await mkdir(host.root, { recursive: true });
  const worker = await world.start(envOf(host));
  // A file that has grown for a while, and goes on at this host's own rate until the end.
  const file = await open(join(host.root, "take.mxf"), "a");
  await file.write(new Uint8Array(randomBytes(chance.between(PART + 1, 3 * PART))));
  await world.until(`a part of ${host.name} is in S3`, async () => (await partsOf(world, host)) > 0);
  const untilMs = performance.now() + chance.between(200, 4_000);
  const step = Math.max(4096, Math.floor(host.rate / 10));
  while (performance.now() < untilMs) {
    await file.write(new Uint8Array(randomBytes(step)));
    await sleep(100);
  }
  if (chance.chance(0.5)) await refusedWhileAlive(world, host);
  await world.kill(worker);
  await file.close();
  await rename(host.root, host.away);
  return (await partsOf(world, host)) > 0 ? host : undefined;
}

async function refusedWhileAlive(world: World, host: Host): Promise<void> {
  const id = await streamOf(world, host);
  const answer = id === undefined ? "refused" : await ask(world, "salvage", id);
  if (answer !== "refused") throw new Error(`a salvage of ${host.name}, which lives, was ${answer}`);
}

async function salvageByStream(world: World, host: Host): Promise<string> {
  await world.until(
    `the lease of ${host.name} has lapsed`,
    async () => (await world.records.redis.exists(`worker:${host.name}`)) === 0,
  );
  const id = await streamOf(world, host);
  return id === undefined ? "without a stream" : await ask(world, "salvage", id);
}

async function salvageByUpload(world: World, host: Host): Promise<string> {
  const upload = (await listUploads(world.target)).find(({ key }) => key === host.key);
  if (upload === undefined) return "without an upload";
  return await ask(world, "salvage_upload", upload.uploadId, { key: host.key, force: true });
}

/** With its files as they were: the object becomes the whole of them. */
async function comeBack(world: World, host: Host): Promise<string[]> {
  await rename(host.away, host.root);
  await world.start({ ...envOf(host), SLUICE_IDLE_TIMEOUT: "500ms", SLUICE_IDLE_MAX: "1s" });
  const file = await readFile(join(host.root, "take.mxf"));
  await world.until(
    `the whole file of ${host.name} is in S3`,
    async () => (await bytesOf(world, host.key)).length === file.length,
  );
  return (await bytesOf(world, host.key)).equals(file)
    ? []
    : [`${host.name}: its file came back, and the object differs`];
}

async function streamOf(world: World, host: Host): Promise<string | undefined> {
  return (await world.records.streams()).find(({ source }) => source === host.name)?.id;
}

async function partsOf(world: World, host: Host): Promise<number> {
  const id = await streamOf(world, host);
  return id === undefined ? 0 : Number((await world.records.stream(id))?.["next_part"] ?? 1) - 1;
}

async function bytesOf(world: World, key: string): Promise<Buffer> {
  const answer = await call(world.target, "GET", key);
  return answer.status === 200 ? Buffer.from(await answer.arrayBuffer()) : Buffer.alloc(0);
}

/** What the workers answer. */
async function ask(
  world: World,
  action: RequestAction,
  item: string,
  options?: Record<string, string | boolean>,
): Promise<string> {
  const clock = { wallMs: () => Date.now() };
  const queue = new RequestQueue({ redis: world.records.redis, keys: keysWith(""), clock });
  const id = randomUUID();
  const filed_at_utc = new Date().toISOString();
  await queue.file({ id, action, items: [item], who: "chaos", filed_at_utc, ...(options && { options }) });
  return await world.until(`${action} of ${item} is answered`, async () => {
    const request = await queue.read(id);
    const result = request.kind === "ok" ? request.value.results[item] : undefined;
    return (
      result &&
      (result.result === "done"
        ? "done"
        : result.result === "refused"
          ? "refused"
          : `failed: ${result.detail ?? ""}`)
    );
  });
}
