/**
 * A file with the bytes of our object at its own path is that file, whatever its inode, device and mtime say: recordings
 * that are set aside and copied back, restored from a backup, or moved to another host or volume. Nothing is sent again.
 */
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { PART, startRig, writeWhole, type Rig } from "./rig.ts";

const NAMES = ["rec/small.bin", "rec/deep/er/part.bin", "rec/large.bin"];

async function record(rig: Rig): Promise<string[]> {
  const paths = NAMES.map((name, at) => writeWhole(rig, name, randomBytes(at === 2 ? 2 * PART + 9 : 20_000)));
  for (const path of paths) await rig.completed(path);
  return paths;
}

/** The file at the path is the completed one. */
async function isKnown(rig: Rig, path: string, key: string): Promise<void> {
  await rig.until(`${path} is known as ${key}`, async () => {
    const entry = await rig.records.done(path);
    return entry?.["file_inode"] === String(statSync(path).ino) && entry["s3_key"] === key;
  });
}

/** Whatever was seen before has been decided. */
async function momentPassed(rig: Rig, name: string): Promise<void> {
  for (const n of [1, 2]) await rig.completed(writeWhole(rig, `${name}.${n}`, `${name} ${n}`));
}

/** What the store took for these keys, or names like them: a Put whose condition refuses it asks, and sends nothing. */
const sent = (rig: Rig, from: number): string[] =>
  rig.requests
    .slice(from)
    .filter(
      ({ operation, status }) => ["PutObject", "UploadPart"].includes(operation ?? "") && status === 200,
    )
    .map(({ key }) => key ?? "")
    .filter((key) => key.startsWith("rec/") && !key.endsWith(".metadata.json"));

const dataKeys = async (rig: Rig): Promise<string[]> =>
  (await rig.bucket.keys())
    .filter((key) => key.startsWith("rec") && !key.endsWith(".metadata.json"))
    .toSorted();

describe("recordings that are copied back", { concurrent: true, timeout: 120_000 }, () => {
  it("after a rescan saw them set aside are sent no second time", async () => {
    await using rig = await startRig();
    await rig.start();
    const paths = await record(rig);
    renameSync(join(rig.root, "rec"), join(rig.root, "rec.old"));
    for (const path of paths) {
      const aside = path.replace("/rec/", "/rec.old/");
      await rig.until(`${aside} is known`, () => rig.records.done(aside));
      await rig.until(`${path} is free`, async () => (await rig.records.done(path)) === undefined);
    }
    const from = rig.requests.length;
    cpSync(join(rig.root, "rec.old"), join(rig.root, "rec"), { recursive: true, preserveTimestamps: true });
    for (const [at, path] of paths.entries()) await isKnown(rig, path, NAMES[at] ?? "");
    await momentPassed(rig, "after");
    expect(sent(rig, from)).toEqual([]);
    expect(await dataKeys(rig)).toEqual(NAMES.toSorted());
  });

  it("from a backup after they were deleted, with new mtimes, are sent no second time", async () => {
    await using rig = await startRig();
    await rig.start();
    const paths = await record(rig);
    const backup = join(rig.directory, "backup");
    cpSync(join(rig.root, "rec"), backup, { recursive: true });
    rmSync(join(rig.root, "rec"), { recursive: true });
    for (const path of paths)
      await rig.until(`${path} is gone`, async () => (await rig.records.done(path)) === undefined);
    const from = rig.requests.length;
    cpSync(backup, join(rig.root, "rec"), { recursive: true });
    for (const path of paths) utimesSync(path, 1_700_000_000, 1_700_000_000);
    for (const [at, path] of paths.entries()) await isKnown(rig, path, NAMES[at] ?? "");
    await momentPassed(rig, "after");
    expect(sent(rig, from)).toEqual([]);
    expect(await dataKeys(rig)).toEqual(NAMES.toSorted());
  });

  it("onto another volume, while no worker runs, are sent no second time", async () => {
    await using rig = await startRig();
    const worker = await rig.start();
    const paths = await record(rig);
    await worker.terminate();
    const elsewhere = join(rig.directory, "other-host");
    cpSync(rig.root, elsewhere, { recursive: true });
    const from = rig.requests.length;
    using _volume = emptyVolume(rig.root);
    cpSync(elsewhere, rig.root, { recursive: true });
    await rig.start();
    for (const [at, path] of paths.entries()) await isKnown(rig, path, NAMES[at] ?? "");
    await momentPassed(rig, "after");
    expect(sent(rig, from)).toEqual([]);
    expect(await dataKeys(rig)).toEqual(NAMES.toSorted());
  });

  it("to another host, with its own name, root and Redis, are sent no second time", async () => {
    await using rig = await startRig({ watches: ["watch", "moved"] });
    const worker = await rig.start({ SLUICE_WATCH: rig.root });
    await record(rig);
    await worker.terminate();
    const root = join(rig.directory, "moved");
    cpSync(rig.root, root, { recursive: true });
    await rig.records.redis.flushall();
    const from = rig.requests.length;
    await rig.start({ SLUICE_WATCH: root, SLUICE_SOURCE: "another-host" });
    for (const name of NAMES) {
      await rig.until(`${name} is recognised`, async () => {
        const entry = await rig.records.redis.hget("files:done", `another-host:${join(root, name)}`);
        return entry !== null && (JSON.parse(entry) as Record<string, string>)["s3_key"] === name;
      });
    }
    expect(sent(rig, from)).toEqual([]);
    expect(await dataKeys(rig)).toEqual(NAMES.toSorted());
  });

  it("slowly, as a large one is, are sent no second time", async () => {
    await using rig = await startRig({ env: { SLUICE_IDLE_TIMEOUT: "8s", SLUICE_IDLE_MAX: "8s" } });
    await rig.start();
    const large = writeWhole(rig, "rec/large.bin", randomBytes(4 * PART + 9));
    writeFileSync(`${large}.done`, "");
    await rig.completed(large);
    const bytes = readFileSync(large);
    rmSync(large);
    rmSync(`${large}.done`);
    await rig.until(`${large} is gone`, async () => (await rig.records.done(large)) === undefined);
    const from = rig.requests.length;
    const copied = 2 * PART + 1000;
    writeFileSync(large, bytes.subarray(0, copied));
    const { waiting_for: waiting = "" } = await rig.live(
      large,
      (stream) => stream["waiting_for"]?.includes('"copy"') === true,
    );
    expect(JSON.parse(waiting)).toMatchObject({
      for: "copy",
      key: "rec/large.bin",
      of: bytes.length,
    });
    appendFileSync(large, bytes.subarray(copied));
    await isKnown(rig, large, "rec/large.bin");
    expect(sent(rig, from)).toEqual([]);
    expect(await dataKeys(rig)).toEqual(["rec/large.bin"]);
  });
});

/** Another device where mounting is permitted; else the directory begins anew, with other inodes. */
function emptyVolume(root: string): Disposable {
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64m", "sluice-test", root], { stdio: "ignore" });
    return { [Symbol.dispose]: () => void execFileSync("umount", ["-l", root], { stdio: "ignore" }) };
  } catch {
    rmSync(root, { recursive: true });
    mkdirSync(root);
    return { [Symbol.dispose]: () => undefined };
  }
}
