/** Which file is it? With the real worker: files that are replaced, copied back, touched and renamed. */
import { randomBytes } from "node:crypto";
import {
  appendFileSync,
  chmodSync,
  cpSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PART, startRig, writeWhole, type Rig } from "./rig.ts";
import { volumeWithoutBirthTimes } from "./rig/old-volume.ts";

let rig: Rig;

beforeAll(async () => {
  rig = await startRig();
  await rig.start();
});

afterAll(async () => await rig?.[Symbol.asyncDispose]());

async function bytesOf(of: Rig, key: string): Promise<Buffer> {
  const { headers } = await of.bucket.head(key);
  const pieces: Buffer[] = [];
  for await (const piece of of.bucket.read(key, Number(headers["content-length"]))) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** Two more files were found by a rescan and completed: whatever was seen before them has been decided. */
async function momentPassed(of: Rig, name: string): Promise<void> {
  for (const n of [1, 2]) await of.completed(writeWhole(of, `${name}.${n}`, `${name} ${n}`));
}

async function entryIs(of: Rig, path: string, is: (entry: Readonly<Record<string, unknown>>) => boolean) {
  await of.until(`the entry of ${path} is as asked`, async () => {
    const entry = await of.records.done(path);
    return entry !== undefined && is(entry);
  });
}

describe("a completed file", { concurrent: true, timeout: 120_000 }, () => {
  it("D1a: a shorter recording that replaces it in place and outgrows it leaves the first object alone", async () => {
    const first = randomBytes(200_000);
    const path = writeWhole(rig, "take.wav", first);
    const { id } = await rig.completed(path);
    truncateSync(path, 0);
    appendFileSync(path, randomBytes(100_000));
    await entryIs(rig, path, (entry) => entry["seen_shorter"] === true);
    appendFileSync(path, randomBytes(150_000));
    const second = await rig.completed(path, { not: id });
    expect(second["s3_key"]).toBe("take-2.wav");
    expect(second["supersedes"]).toBeUndefined();
    expect(await bytesOf(rig, "take.wav")).toEqual(first);
    expect(await bytesOf(rig, "take-2.wav")).toEqual(readFileSync(path));
  });

  it("D1a: a longer recording written over it in place leaves the first object alone", async () => {
    const first = randomBytes(PART + 1000);
    const path = writeWhole(rig, "over.wav", first);
    const { id } = await rig.completed(path);
    writeFileSync(path, randomBytes(PART + 5000), { flag: "r+" });
    const second = await rig.completed(path, { not: id });
    expect(second["s3_key"]).toBe("over-2.wav");
    expect(await bytesOf(rig, "over.wav")).toEqual(first);
  });

  it("D1a: one that only grew, with a rewritten header, keeps its key", async () => {
    const path = writeWhole(rig, "grows.wav", randomBytes(PART + 1000));
    const { id } = await rig.completed(path);
    writeFileSync(path, randomBytes(44), { flag: "r+" });
    appendFileSync(path, randomBytes(1000));
    const second = await rig.completed(path, { not: id });
    expect(second).toMatchObject({ s3_key: "grows.wav", supersedes: id });
    expect(await bytesOf(rig, "grows.wav")).toEqual(readFileSync(path));
  });

  it("D1d: a directory that is set aside and copied back is sent no second time", async () => {
    const path = writeWhole(rig, "rec/a.bin", randomBytes(30_000));
    const large = writeWhole(rig, "rec/large.bin", randomBytes(PART + 9));
    await Promise.all([rig.completed(path), rig.completed(large)]);
    renameSync(join(rig.root, "rec"), join(rig.root, "rec.old"));
    cpSync(join(rig.root, "rec.old"), join(rig.root, "rec"), { recursive: true, preserveTimestamps: true });
    for (const one of [path, large]) {
      const inode = String(statSync(one).ino);
      await entryIs(rig, one, (entry) => entry["file_inode"] === inode);
      await entryIs(rig, one.replace("/rec/", "/rec.old/"), () => true);
    }
    await momentPassed(rig, "after-copy");
    const keys = (await rig.bucket.keys()).filter((key) => key.startsWith("rec"));
    expect(keys.filter((key) => !key.endsWith(".metadata.json"))).toEqual(["rec/a.bin", "rec/large.bin"]);
  });

  it("D1d: one restored under a new inode and a new mtime is that file, and its entry takes the new identity", async () => {
    const bytes = randomBytes(50_000);
    const path = writeWhole(rig, "restored.bin", bytes);
    const { id } = await rig.completed(path);
    // Outside the watch: seen there, it would be a stream of its own, which is then renamed.
    const restored = join(rig.directory, "restored.bin");
    writeFileSync(restored, bytes);
    utimesSync(restored, 1_700_000_000, 1_700_000_000);
    renameSync(restored, path);
    const inode = String(statSync(path).ino);
    await entryIs(rig, path, (entry) => entry["file_inode"] === inode);
    expect(await rig.records.done(path)).toMatchObject({ stream_id: id, s3_key: "restored.bin" });
    expect((await rig.bucket.keys()).filter((key) => key.startsWith("restored"))).toHaveLength(2);
  });

  it("D3b: one whose ctime alone moved is read again, and nothing is sent", async () => {
    const path = writeWhole(rig, "chmod.bin", randomBytes(40_000));
    const { id } = await rig.completed(path);
    chmodSync(path, 0o600);
    const ctime = String(statSync(path, { bigint: true }).ctimeNs);
    await entryIs(rig, path, (entry) => entry["file_ctime_ns"] === ctime);
    expect(await rig.records.done(path)).toMatchObject({ stream_id: id });
    expect(await rig.records.generations(path)).toHaveLength(1);
  });

  it("D3b: one whose bytes changed under its old size and mtime is found out by its CRC32", async () => {
    const path = writeWhole(rig, "quiet-change.bin", randomBytes(40_000));
    const before = statSync(path);
    const { id } = await rig.completed(path);
    writeFileSync(path, randomBytes(100), { flag: "r+" });
    utimesSync(path, before.atime, before.mtime);
    const second = await rig.completed(path, { not: id });
    expect(second["s3_key"]).toBe("quiet-change.bin");
    expect(await bytesOf(rig, "quiet-change.bin")).toEqual(readFileSync(path));
  });

  it("D2e: the pause before it grew again counts for its idle time", async () => {
    await using own = await startRig({ env: { SLUICE_IDLE_MAX: "10m" } });
    await own.start();
    const path = writeWhole(own, "log.txt", "one line\n");
    const { id } = await own.completed(path);
    const before = statSync(path).mtimeMs;
    await own.until("the writer has paused for three seconds", () => Date.now() - before > 3_000);
    appendFileSync(path, "another line\n");
    const live = await own.live(
      path,
      (stream) => stream.id !== id && stream["waiting_for"]?.includes('"for":"idle"') === true,
    );
    expect(Number(live["longest_pause_ms"])).toBeGreaterThanOrEqual(2_900);
    const { since, until } = JSON.parse(live["waiting_for"] ?? "") as { since: string; until: string };
    expect(Date.parse(until) - Date.parse(since)).toBeGreaterThanOrEqual(3 * 2_900);
  });
});

it(
  "D1d: on another host, with another source and an empty Redis, our own objects are recognised",
  { timeout: 120_000 },
  async () => {
    await using own = await startRig();
    const bytes = { small: randomBytes(20_000), large: randomBytes(PART + 77) };
    const [small, large] = [
      writeWhole(own, "small.bin", bytes.small),
      writeWhole(own, "large.bin", bytes.large),
    ];
    const worker = await own.start();
    await Promise.all([own.completed(small), own.completed(large)]);
    await worker.kill();
    await own.records.redis.flushall();
    for (const [path, data] of [
      [small, bytes.small],
      [large, bytes.large],
    ] as const) {
      rmSync(path);
      writeFileSync(`${path}.new`, data);
      renameSync(`${path}.new`, path);
    }
    const before = await own.bucket.keys();
    await own.start({ SLUICE_SOURCE: "other-host" });
    await own.until("both are recognised", async () => {
      const streams = await own.records.streams();
      return (
        streams.filter((one) => one.status === "completed" && one["verify_result"] === "recognised")
          .length === 2
      );
    });
    expect(await own.bucket.keys()).toEqual(before);
  },
);

it(
  "D7i: the root of a watch is renamed and configured under its new name: its live stream goes on",
  { timeout: 120_000 },
  async () => {
    await using own = await startRig({ env: { SLUICE_IDLE_TIMEOUT: "5s" } });
    const path = writeWhole(own, "live.bin", randomBytes(PART + 100));
    const done = writeWhole(own, "done.bin", "done");
    writeFileSync(`${done}.done`, "");
    const worker = await own.start({ SLUICE_IDLE_TIMEOUT: "1h", SLUICE_IDLE_MAX: "1h" });
    const { id } = await own.live(path, ({ next_part: next }) => next === "2");
    await own.completed(done);
    await worker.kill();
    const root = `${own.root}.renamed`;
    renameSync(own.root, root);
    await own.start({ SLUICE_WATCH: root });
    const completed = await own.completed(join(root, "live.bin"));
    expect(completed).toMatchObject({ id, s3_key: "live.bin" });
    expect((await own.bucket.keys()).filter((key) => !key.endsWith(".metadata.json"))).toEqual([
      "done.bin",
      "live.bin",
    ]);
    expect(await own.bucket.openUploads()).toEqual([]);
  },
);

describe("volumes without birth times", { timeout: 120_000 }, () => {
  it("D1b, D7e: a reused inode number, and equal ones on two volumes, make no two files one", async () => {
    await using own = await startRig({ watches: ["one", "two"] });
    using _one = volumeWithoutBirthTimes(own.root);
    const two = join(own.root, "..", "two");
    using _two = volumeWithoutBirthTimes(two);
    const first = randomBytes(20_000);
    const a = writeWhole(own, "a.mp4", first);
    const other = join(two, "x.mp4");
    writeFileSync(other, randomBytes(20_001));
    await own.start();
    await Promise.all([own.completed(a), own.completed(other)]);
    rmSync(a);
    const b = writeWhole(own, "b.mp4", randomBytes(40_000));
    await own.completed(b);
    // Wiped and recorded anew under the same name, longer.
    rmSync(b);
    const again = writeWhole(own, "a.mp4", randomBytes(60_000));
    const anew = await own.completed(again, { not: (await own.records.generations(a))[0]?.id });
    expect(await bytesOf(own, "one/a.mp4")).toEqual(first);
    expect(await bytesOf(own, "one/b.mp4")).toHaveLength(40_000);
    expect(await bytesOf(own, "two/x.mp4")).toEqual(readFileSync(other));
    expect(await bytesOf(own, anew["s3_key"] ?? "")).toEqual(readFileSync(again));
    expect(anew).toMatchObject({ s3_key: "one/a-2.mp4", verify_mode: "full" });
  });

  it("D1c: a file replaced by a longer one while the worker is frozen is never spliced with it", async () => {
    await using own = await startRig({ env: { SLUICE_VERIFY: "edges", SLUICE_IDLE_TIMEOUT: "2s" } });
    using _volume = volumeWithoutBirthTimes(own.root);
    const path = writeWhole(own, "a.bin", randomBytes(3 * PART + 10));
    const worker = await own.start();
    const { id } = await own.live(path, ({ next_part: next }) => next === "4");
    worker.signal("SIGSTOP");
    rmSync(path);
    writeFileSync(path, randomBytes(4 * PART + 10));
    worker.signal("SIGCONT");
    const completed = await own.completed(path, { not: id });
    expect(await bytesOf(own, completed["s3_key"] ?? "")).toEqual(readFileSync(path));
    expect(await own.records.stream(id)).toMatchObject({ status: "failed_file_replaced" });
  });
});
