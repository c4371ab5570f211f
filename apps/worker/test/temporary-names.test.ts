import { randomBytes } from "node:crypto";
import { renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { audit, auditRig } from "./audit.ts";
import { PART, startRig, writeWhole, type Rig, type WorkerProcess } from "./rig.ts";
import { GrowingFile } from "./rig/growing-file.ts";
import { counted } from "./rig/health.ts";

/** Idle after a second; the failed uploads that may end do so at once. */
let rig: Rig;
let worker: WorkerProcess;

beforeAll(async () => {
  rig = await startRig({ env: { SLUICE_FAILED_UPLOAD_RETENTION: "1s" } });
  worker = await rig.start();
});

afterAll(async () => {
  await rig?.[Symbol.asyncDispose]();
});

/** The idle time and a rescan have passed: a file that came later is completed, twice. */
async function meanwhile(name: string): Promise<void> {
  for (const turn of [1, 2]) await rig.completed(writeWhole(rig, `meanwhile-${turn}-${name}`, name));
}

const atWork = (path: string) => rig.live(path, ({ next_part: next }) => next === "2");

describe("a file under a temporary name", { concurrent: true, timeout: 120_000 }, () => {
  it.each([
    ["a browser's", "film.mkv", "film.mkv.crdownload"],
    ["rclone's", "clip.mkv", "clip.mkv.1a2b3c4d.partial"],
    ["qBittorrent's", "disc.iso", "disc.iso.!qB"],
  ])(
    "D2c: %s is never complete for being quiet, and its key never has the suffix",
    async (_, name, first) => {
      const temporary = writeWhole(rig, first, randomBytes(PART + 10));
      const stream = await atWork(temporary);
      expect(stream["s3_key"]).toBe(name);
      await meanwhile(name);
      expect(await rig.records.live(temporary)).toMatchObject({ id: stream.id, status: "processing" });
      const path = join(rig.root, name);
      renameSync(temporary, path);
      expect(await rig.completed(path)).toMatchObject({ id: stream.id, completed_by: "rename" });
      await audit(rig, [{ path, key: name }]);
    },
  );

  it("D2c: an empty file beside it is a placeholder, over which it is renamed, as Firefox does", async () => {
    const path = writeWhole(rig, "movie.mkv", "");
    const temporary = join(rig.root, "movie.mkv.part");
    await using file = await GrowingFile.open(temporary);
    await file.append(PART + 10);
    const stream = await atWork(temporary);
    await meanwhile("movie");
    await rig.until("the placeholder has no stream", async () => !(await rig.records.live(path)));
    expect(await rig.records.generations(path)).toEqual([]);
    await file[Symbol.asyncDispose]();
    renameSync(temporary, path);
    expect(await rig.completed(path)).toMatchObject({ id: stream.id, s3_key: "movie.mkv" });
    await audit(rig, [{ path, key: "movie.mkv" }]);
    expect(await rig.bucket.keys("movie")).toHaveLength(2);
  });

  it("D2c: a placeholder that stays when its temporary file is gone becomes a file like any other", async () => {
    const temporary = writeWhole(rig, "kept.bin.part", "half");
    await rig.live(temporary, ({ file_size: size }) => size === "4");
    const path = writeWhole(rig, "kept.bin", "");
    await meanwhile("kept");
    expect(await rig.records.generations(path)).toEqual([]);
    rmSync(temporary);
    await rig.completed(path);
    await audit(rig, [{ path, key: "kept.bin" }]);
  });

  it("D2c: that vanishes is no failure: it is listed apart, its upload ends, and its name is free at once", async () => {
    const path = writeWhole(rig, "given-up.iso.part", randomBytes(PART + 10));
    const stream = await atWork(path);
    rmSync(path);
    await rig.until(
      "it is listed apart",
      async () => (await rig.records.stream(stream.id))?.["set_apart"] === "temporary_name",
    );
    expect(await rig.records.stream(stream.id)).toMatchObject({ status: "failed_file_missing" });
    expect(await counted(worker, "sluice_failed_total")).toBe(0);
    expect(await counted(worker, "sluice_set_apart_total")).toBeGreaterThan(0);
    const again = writeWhole(rig, "given-up.iso.part", randomBytes(PART + 20));
    expect(await atWork(again)).toMatchObject({ s3_key: "given-up.iso" });
    await rig.until(
      "its upload has ended",
      async () => (await rig.bucket.openUploads("given-up.iso")).length === 1,
      { withinMs: 60_000 },
    );
    const final = join(rig.root, "given-up.iso");
    renameSync(again, final);
    await rig.completed(final);
    await audit(rig, [{ path: final, key: "given-up.iso" }]);
  });
});

describe("files that come and go", { timeout: 180_000 }, () => {
  it("D2d: before a byte of them is in S3 leave no failed stream and no upload, only a line and a count", async () => {
    await using quiet = await startRig({ env: { SLUICE_IDLE_TIMEOUT: "1h", SLUICE_IDLE_MAX: "1h" } });
    const nothingLeft = async () => (await quiet.records.streams()).length === 0;
    // An upload that holds nothing yet, and files that go while the worker is down.
    const killed = quiet.launch({ FAILPOINT: "upload_recorded:kill@1" });
    const early = [
      writeWhole(quiet, "archive.zip-tmp", randomBytes(PART + 10)),
      writeWhole(quiet, "zi8Hq1", "a few bytes"),
    ];
    await killed.exited;
    expect(await quiet.bucket.openUploads()).toHaveLength(1);
    for (const path of early) rmSync(path);
    const next = await quiet.start();
    await quiet.until("the streams of the files that went are gone", nothingLeft);
    const before = await counted(next, "sluice_removed_total");
    const names = Array.from({ length: 10 }, (_, at) => `library.db-journal-${at}`);
    const paths = names.map((name) => writeWhole(quiet, name, randomBytes(512)));
    for (const path of paths) await quiet.live(path, ({ status }) => status === "opening");
    for (const path of paths) rmSync(path);
    await quiet.until("every stream is gone", nothingLeft);
    await quiet.until(
      "each is counted",
      async () => (await counted(next, "sluice_removed_total")) - before === paths.length,
    );
    expect(await counted(next, "sluice_failed_total")).toBe(0);
    const said = next.lines.filter(({ msg }) => msg.includes("disappeared before any of its bytes"));
    expect(said.length).toBeGreaterThanOrEqual(paths.length);
    expect(await quiet.bucket.openUploads()).toEqual([]);
    await auditRig(quiet);
  });
});

describe("a suffix", { timeout: 120_000 }, () => {
  it("D2c: is what SLUICE_TEMP_SUFFIXES says, also for the marker and what a pattern leaves out", async () => {
    await using own = await startRig({
      env: { SLUICE_TEMP_SUFFIXES: ".uploading,.<4 hex>~tmp", SLUICE_EXCLUDE: "*.iso" },
    });
    await own.start();
    const part = writeWhole(own, "plain.part", "no temporary name here");
    const temporary = writeWhole(own, "take.wav.00ff~tmp", "all there");
    const stream = await own.live(temporary, ({ waiting_for: why }) => why?.includes('"rename"') === true);
    writeWhole(own, "left.iso.uploading", "excluded under the name it will have");
    await own.completed(part);
    writeFileSync(join(own.root, "take.wav.done"), "");
    expect(await own.completed(temporary)).toMatchObject({ id: stream.id, completed_by: "marker" });
    await audit(own, [
      { path: part, key: "plain.part" },
      { path: temporary, key: "take.wav" },
    ]);
    expect(await own.bucket.keys("left")).toEqual([]);
    await auditRig(own);
  });
});

describe("in the end", () => {
  it("D2c: nothing is left but the download that was given up", async () => {
    await expect(auditRig(rig, { failed: ["file_missing"], openUploads: 0 })).resolves.toBeUndefined();
  });
});
