/** The disk of a watch, as the real worker sees it fill: a small one of its own, against what `df` and the test count. */
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { WatchSpace } from "@sluice/redis-schema";
import { describe, expect, it } from "vitest";
import { document, sluice } from "./cli-process.ts";
import { MIB, startRig, writeWhole, type Rig } from "./rig.ts";
import { GrowingFile } from "./rig/growing-file.ts";
import { gaugeOfWatch, readiness, statusOf } from "./rig/health.ts";
import { SECRET, startReceiver } from "./webhook-receiver.ts";

const NEVER_IDLE = { SLUICE_IDLE_TIMEOUT: "1h", SLUICE_IDLE_MAX: "1h" };
const HOUR = 3_600_000;

/** A disk of so many MiB in place of the directory. Undefined where mounting is not permitted. */
function smallDisk(root: string, mib: number): Disposable | undefined {
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${mib}m`, "sluice-test", root], { stdio: "ignore" });
  } catch {
    return undefined;
  }
  return { [Symbol.dispose]: () => void execFileSync("umount", ["-l", root], { stdio: "ignore" }) };
}

interface HangingDisk extends Disposable {
  hang(): void;
  answer(): void;
}

/** A disk by FUSE, whose program can be stopped: then it hangs as a network file system does. Undefined where none can be had. */
function hangingDisk(root: string): HangingDisk | undefined {
  const image = `${root}.image`;
  const run = (command: string, ...args: string[]): string =>
    execFileSync(command, args, { stdio: ["ignore", "pipe", "ignore"], encoding: "utf8" }).trim();
  let device: string | undefined;
  try {
    writeFileSync(image, "");
    truncateSync(image, 64 * MIB);
    device = run("losetup", "-f", "--show", image);
    run("mkfs.exfat", device);
    run("mount.exfat-fuse", device, root);
  } catch {
    if (device !== undefined) run("losetup", "-d", device);
    return undefined; // not permitted here
  }
  const server = pidOf(device);
  return {
    hang: () => process.kill(server, "SIGSTOP"),
    answer: () => process.kill(server, "SIGCONT"),
    [Symbol.dispose]() {
      process.kill(server, "SIGCONT");
      run("umount", "-l", root);
      run("losetup", "-d", device);
    },
  };
}

/** Of the program that serves a device. */
function pidOf(device: string): number {
  const found = readdirSync("/proc").find((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, "latin1").split("\0");
      return words[0]?.endsWith("exfat-fuse") && words.includes(device);
    } catch {
      return false; // it has ended
    }
  });
  if (found === undefined) throw new Error(`nobody serves ${device}`);
  return Number(found);
}

/** What the worker's lease says of its watches. */
async function spacesOf(rig: Rig): Promise<WatchSpace[]> {
  const text = await rig.records.redis.hget("worker:rig-worker", "free_space");
  return text === null ? [] : (JSON.parse(text) as WatchSpace[]);
}

/** Of its only watch. */
const spaceOf = async (rig: Rig): Promise<WatchSpace | undefined> => (await spacesOf(rig))[0];

const spaceIs = (rig: Rig, what: string, is: (space: WatchSpace) => boolean, withinMs = 60_000) =>
  rig.until(
    what,
    async () => {
      const space = await spaceOf(rig);
      return space && is(space) && space;
    },
    { withinMs },
  );

const isFilling = ({ filling_since_utc: since }: WatchSpace): boolean => since !== undefined;

/** By another program. */
function df(root: string): { free: number; total: number } {
  const output = execFileSync("df", ["--block-size=1", "--output=avail,used", root], { encoding: "utf8" });
  const [free = 0, used = 0] = output.trim().split("\n").at(-1)?.trim().split(/\s+/).map(Number) ?? [];
  return { free, total: free + used };
}

describe("the disk of a watch", { concurrent: true, timeout: 300_000 }, () => {
  it("that fills is said by lease, health, metrics, command line, doctor and webhook, and so is that it has room again", async () => {
    await using receiver = await startReceiver();
    await using rig = await startRig({ env: NEVER_IDLE });
    using disk = smallDisk(rig.root, 64);
    // Where nothing can be mounted, the machine's own disk has this much to go.
    const { bavail, bsize } = statfsSync(rig.root);
    const limit = disk ? "50%" : `${bavail * bsize - 20 * MIB}B`;
    const env = {
      SLUICE_FREE_SPACE_WARNING: limit,
      SLUICE_WEBHOOK_URL: receiver.url,
      SLUICE_WEBHOOK_SECRET: SECRET,
    };
    const worker = await rig.start(env);
    const roomy = await spaceIs(rig, "the lease says what is free", () => true);
    expect(roomy).toMatchObject({ watch: "watch" });
    expect(isFilling(roomy)).toBe(false);
    if (disk) expect({ free: roomy.free_bytes, total: roomy.total_bytes }).toEqual(df(rig.root));
    expect(await gaugeOfWatch(worker, "sluice_watch_filling")).toBe(0);

    const path = writeWhole(rig, "take.mxf", randomBytes(40 * MIB));
    const filling = await spaceIs(rig, "the lease says that the disk fills", isFilling);
    if (disk) expect({ free: filling.free_bytes, total: filling.total_bytes }).toEqual(df(rig.root));
    expect(await gaugeOfWatch(worker, "sluice_watch_free_bytes")).toBe((await spaceOf(rig))?.free_bytes);
    expect(await gaugeOfWatch(worker, "sluice_watch_filling")).toBe(1);
    expect(await readiness(worker)).toMatch(/^degraded: watch watch: its disk fills, .* free/);
    // A restart would not help.
    expect(await statusOf(worker, "/readyz")).toBe(200);
    const cli = { env: rig.env(env), cwd: rig.directory };
    const listed = await sluice(["ls"], cli);
    expect(`${listed.stdout}${listed.stderr}`).toMatch(/The disk of watch watch on \S+ fills: .* free/);
    const findings = document<{ id: string; severity: string }[]>(await sluice(["doctor", "--json"], cli));
    expect(findings.filter(({ severity }) => severity === "warning").map(({ id }) => id)).toEqual(
      expect.arrayContaining(["directory.space_low", "worker.disk_filling"]),
    );
    const told = await rig.until("a webhook is sent", () =>
      receiver.accepted().find(({ type }) => type === "watch.disk_filling"),
    );
    expect(told.data).toMatchObject({
      watch: "watch",
      source: "rig",
      worker: "rig-worker",
      since: filling.filling_since_utc,
      cause: expect.stringContaining(" free") as string,
    });

    rmSync(path);
    await spaceIs(rig, "the disk has room again", (space) => !isFilling(space));
    expect(await gaugeOfWatch(worker, "sluice_watch_filling")).toBe(0);
    expect(worker.lines.filter(({ msg }) => msg.startsWith("the disk of a watch "))).toHaveLength(2);
    expect(receiver.accepted().filter(({ type }) => type === "watch.disk_filling")).toHaveLength(1);
  });

  it("is full in the time that the test computes from its own writes", async () => {
    await using rig = await startRig({ env: { ...NEVER_IDLE, SLUICE_FREE_SPACE_WARNING: "1%,6h" } });
    using disk = smallDisk(rig.root, 256);
    const worker = await rig.start();
    await using file = await GrowingFile.open(join(rig.root, "take.mxf"));
    const beganMs = performance.now();
    const writing = new AbortController();
    const writes = (async () => {
      while (!writing.signal.aborted) await file.appendAtPace(file.size + 256 * 1024, 64 * 1024, 250);
    })();
    try {
      // On a disk that others write too, nobody knows beforehand what its rate will be.
      if (!disk) return;
      const space = await spaceIs(rig, "a forecast", ({ full_in_ms: ms }) => ms !== undefined, 200_000);
      const rate = file.size / (performance.now() - beganMs);
      const expected = df(rig.root).free / rate;
      expect(space.full_in_ms).toBeGreaterThan(expected * 0.75);
      expect(space.full_in_ms).toBeLessThan(expected * 1.25);
      // Most of the disk is free: the warning is for the time.
      expect(space.free_bytes / space.total_bytes).toBeGreaterThan(0.5);
      expect(space.full_in_ms).toBeLessThan(6 * HOUR);
      expect(isFilling(space)).toBe(true);
      expect(await gaugeOfWatch(worker, "sluice_watch_full_seconds")).toBeGreaterThan(0);
    } finally {
      writing.abort();
      await writes;
    }
  });

  it("that hangs is not known, and holds up neither the lease nor another watch", async () => {
    await using rig = await startRig({ watches: ["watch", "slow"] });
    using disk = hangingDisk(join(rig.directory, "slow"));
    await rig.start();
    const known = async () => (await spacesOf(rig)).map(({ watch }) => watch);
    const knows = (names: string[]) =>
      rig.until(
        `the lease knows ${names.join(" and ")}`,
        async () => String(await known()) === String(names),
      );
    await knows(["watch", "slow"]);
    disk?.hang();
    try {
      if (disk) await knows(["watch"]);
      const path = writeWhole(rig, "take.mxf", randomBytes(1_000));
      await rig.completed(path);
      const renewed = await rig.records.redis.hget("worker:rig-worker", "renewed_at_utc");
      expect(Date.now() - Date.parse(renewed ?? "")).toBeLessThan(15_000);
    } finally {
      disk?.answer();
    }
    await knows(["watch", "slow"]);
  });

  it("that is away is not known: what is left at its place is another disk", async () => {
    await using rig = await startRig({ env: NEVER_IDLE });
    const worker = await rig.start();
    await spaceIs(rig, "the lease says what is free", () => true);
    renameSync(rig.root, `${rig.root}.away`);
    await rig.until("nothing is said", async () => (await spaceOf(rig)) === undefined);
    expect(await gaugeOfWatch(worker, "sluice_watch_free_bytes")).toBeUndefined();
    renameSync(`${rig.root}.away`, rig.root);
    await spaceIs(rig, "the lease says what is free again", () => true);
  });
});
