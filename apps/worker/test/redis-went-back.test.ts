/**
 * Redis comes back older than it was (P4): a snapshot is restored, or a failover lost its tail. A worker that lived
 * through it believes its memory, one that starts anew asks S3; nothing is lost, nothing goes up twice, nothing stays.
 */
import { appendFileSync, cpSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { auditRig } from "./audit.ts";
import { PART, startRig, writeWhole, type Rig } from "./rig.ts";

const AOF = "appendonlydir";

/** What Redis has acknowledged up to now: its log is only ever appended to. */
function snapshot(rig: Rig): void {
  cpSync(join(rig.redis.directory, AOF), join(rig.redis.directory, "kept"), { recursive: true });
}

/** Redis is killed and comes back as it was at the snapshot. */
async function goBack(rig: Rig): Promise<void> {
  await rig.redis.kill();
  rmSync(join(rig.redis.directory, AOF), { recursive: true });
  cpSync(join(rig.redis.directory, "kept"), join(rig.redis.directory, AOF), { recursive: true });
  await rig.redis.start();
}

const partsOf = (rig: Rig): string[] =>
  rig.requests
    .filter(
      ({ operation, key, status }) => operation === "UploadPart" && status === 200 && key?.endsWith(".mov"),
    )
    .map(({ key, partNumber }) => `${key} ${partNumber}`)
    .toSorted();

const putsOf = (rig: Rig): string[] =>
  rig.requests
    .filter(({ operation, key }) => operation === "PutObject" && key?.endsWith(".mov"))
    .map(({ key }) => key ?? "")
    .toSorted();

const finish = (rig: Rig, name: string): void => writeFileSync(join(rig.root, `${name}.done`), "");

async function stored(rig: Rig, key: string, bytes: Buffer): Promise<boolean> {
  return Buffer.concat(await Array.fromAsync(rig.bucket.read(key, bytes.length))).equals(bytes);
}

/** One file of each kind before the snapshot, and what happened to each after it. */
async function live(rig: Rig) {
  const grows = writeWhole(rig, "grows.mov.part", randomBytes(PART + 10));
  const ends = writeWhole(rig, "ends.mov.part", randomBytes(PART + 10));
  const moves = writeWhole(rig, "moves.mov.part", randomBytes(PART + 10));
  const small = writeWhole(rig, "small.mov.part", randomBytes(1_000));
  const kept = writeWhole(rig, "kept.mov.part", randomBytes(PART + 10));
  const before = await rig.live(grows, ({ next_part: next }) => next === "2");
  for (const path of [ends, moves, kept]) await rig.live(path, ({ next_part: next }) => next === "2");
  await rig.live(small, ({ status }) => status === "opening");
  snapshot(rig);
  const written = new Map<string, Buffer>();
  // New parts.
  appendFileSync(grows, randomBytes(2 * PART));
  await rig.live(grows, ({ next_part: next }) => next === "4");
  // Completions, after which the file is deleted; another of a file that is put in one piece.
  appendFileSync(ends, randomBytes(PART));
  for (const [path, name] of [
    [ends, "ends.mov"],
    [small, "small.mov"],
  ] as const) {
    written.set(name, readFileSync(path));
    finish(rig, name);
    await rig.until(`${name} is tidied away`, () => !existsSync(path));
  }
  // A rename inside the watch.
  const moved = join(rig.root, "moved.mov.part");
  renameSync(moves, moved);
  await rig.live(moved, () => true);
  appendFileSync(moved, randomBytes(PART));
  await rig.live(moved, ({ next_part: next }) => next === "3");
  // A stream Redis will never have heard of.
  const fresh = writeWhole(rig, "fresh.mov.part", randomBytes(PART + 10));
  const opened = await rig.live(fresh, ({ next_part: next }) => next === "2");
  return { grows, moved, fresh, kept, written, uploads: [before, opened].map((one) => one["s3_upload_id"]) };
}

async function endsWell(rig: Rig, after: Awaited<ReturnType<typeof live>>): Promise<void> {
  const { written } = after;
  const sent = partsOf(rig);
  expect(new Set(sent).size, `each part went up once: ${sent.join(", ")}`).toBe(sent.length);
  for (const [path, name] of [
    [after.grows, "grows.mov"],
    [after.moved, "moves.mov"],
    [after.fresh, "fresh.mov"],
    [after.kept, "kept.mov"],
  ] as const) {
    appendFileSync(path, randomBytes(10));
    written.set(name, readFileSync(path));
    finish(rig, path.slice(rig.root.length + 1).replace(/\.part$/, ""));
  }
  await rig.until("every file is tidied away", () =>
    [after.grows, after.moved, after.fresh, after.kept].every((path) => !existsSync(path)),
  );
  await rig.until("no stream is live", async () => {
    const counts = await Promise.all(
      ["streams:active", "streams:pending_completion"].map((key) => rig.records.redis.zcard(key)),
    );
    return counts.every((count) => count === 0);
  });
  const failed = await rig.records.redis.zrange("streams:failed", "0", "-1");
  expect(await Promise.all(failed.map((id) => rig.records.stream(id)))).toEqual([]);
  const data = (await rig.bucket.keys()).filter((key) => key.endsWith(".mov")).toSorted();
  expect(data).toEqual([...written.keys()].toSorted());
  for (const [key, bytes] of written) expect(await stored(rig, key, bytes), key).toBe(true);
  expect(putsOf(rig)).toEqual(["small.mov"]);
  const all = partsOf(rig);
  // The tails, which grew, are the only parts that may have gone up a second time.
  expect(new Set(all).size, all.join(", ")).toBe(all.length);
  expect(await rig.bucket.openUploads()).toEqual([]);
  await auditRig(rig);
}

const env = { SLUICE_AFTER_UPLOAD: "delete", SLUICE_AFTER_UPLOAD_DELAY: "0s" };

describe("a Redis that comes back older", { concurrent: true, timeout: 180_000 }, () => {
  it("D8b: costs a worker that lived through it nothing: live streams keep their uploads and parts", async () => {
    await using rig = await startRig({ env });
    const worker = await rig.start();
    const after = await live(rig);
    await goBack(rig);
    await worker.said("Redis came back");
    await worker.said("has been looked up in S3");
    for (const path of [after.grows, after.fresh, after.moved, after.kept])
      expect(await rig.records.live(path), path).toBeDefined();
    const uploads = await Promise.all([after.grows, after.fresh].map((path) => rig.records.live(path)));
    expect(uploads.map((one) => one?.["s3_upload_id"])).toEqual(after.uploads);
    await endsWell(rig, after);
    expect(worker.running).toBe(true);
  });

  it("D8b: costs a worker that starts on it nothing: what S3 holds is believed", async () => {
    await using rig = await startRig({ env });
    const first = await rig.start();
    const after = await live(rig);
    await first.kill();
    await goBack(rig);
    const worker = await rig.start();
    await worker.said("may be older than it was");
    await rig.until("the recovery is over", async () => await rig.records.redis.hget("epoch", "id"));
    const fresh = await rig.live(after.fresh, ({ next_part: next }) => next === "2");
    expect(fresh["s3_upload_id"], "the upload of a stream that Redis never heard of").toBe(after.uploads[1]);
    await endsWell(rig, after);
  });

  it("D8b: completed files that are kept on disk are known again, and a lost tail is noticed without a renewal", async () => {
    await using rig = await startRig();
    const worker = await rig.start();
    const growing = writeWhole(rig, "growing.mov.part", randomBytes(PART + 10));
    await rig.live(growing, ({ next_part: next }) => next === "2");
    snapshot(rig);
    const done = writeWhole(rig, "done.mov", randomBytes(2 * PART));
    const entry = await rig.completed(done);
    // A part that Redis will not know of: the stream's next write finds its record older.
    appendFileSync(growing, randomBytes(PART));
    await rig.live(growing, ({ next_part: next }) => next === "3");
    await goBack(rig);
    appendFileSync(growing, randomBytes(PART));
    await worker.said("has been looked up in S3");
    expect(await rig.records.done(done)).toMatchObject({ stream_id: entry["id"] });
    writeFileSync(join(rig.root, "growing.mov.done"), "");
    await rig.completed(growing);
    const sent = partsOf(rig);
    expect(new Set(sent).size).toBe(sent.length);
    expect(await rig.bucket.openUploads()).toEqual([]);
    await auditRig(rig);
  });
});
