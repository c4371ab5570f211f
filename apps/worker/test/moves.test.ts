/** Files that move while their streams live: out of the watch, into another one, or away from a name that is used again. */
import { randomBytes } from "node:crypto";
import { appendFileSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { PART, startRig, writeWhole, type Rig, type StreamSeen } from "./rig.ts";
import { GrowingFile } from "./rig/growing-file.ts";

async function isObject(rig: Rig, key: string, bytes: Buffer): Promise<boolean> {
  const head = await rig.bucket.head(key);
  if (head.status !== 200 || Number(head.headers["content-length"]) !== bytes.length) return false;
  const pieces: Buffer[] = [];
  for await (const piece of rig.bucket.read(key, bytes.length)) pieces.push(piece);
  return Buffer.concat(pieces).equals(bytes);
}

const isLive = ({ status }: StreamSeen): boolean => status !== "completed" && !status.startsWith("failed");
const mended = (rig: Rig) =>
  rig.workers.flatMap(({ lines }) => lines.filter(({ msg }) => msg.includes("was corrected")));

describe("a live file", { concurrent: true, timeout: 120_000 }, () => {
  it("D2b: that is renamed and leaves the watch a moment later ends its stream, with or without an upload", async () => {
    await using rig = await startRig();
    await rig.start();
    await using held = new AsyncDisposableStack();
    const names = ["small1", "small2", "small3", "small4", "large1", "large2"];
    for (const name of names) {
      const file = held.use(await GrowingFile.open(join(rig.root, `${name}.a`)));
      await file.append(name.startsWith("large") ? PART + 10 : 100);
    }
    // Of one live file among many, the volume is there all the same.
    await held.use(await GrowingFile.open(join(rig.root, "stays"))).append(10);
    for (const name of names)
      await rig.live(join(rig.root, `${name}.a`), (stream) =>
        name.startsWith("large") ? stream["next_part"] === "2" : stream["file_size"] === "100",
      );
    for (const name of names) {
      renameSync(join(rig.root, `${name}.a`), join(rig.root, `${name}.b`));
      await sleep(100);
      renameSync(join(rig.root, `${name}.b`), join(rig.directory, `${name}.out`));
    }
    const left = await rig.until("no stream of them is live", async () => {
      const streams = (await rig.records.streams()).filter(
        ({ original_path: path }) => !path.endsWith("stays"),
      );
      return !streams.some(isLive) && streams;
    });
    const large = left.filter(({ original_path: path }) => /large\d\.[ab]$/.test(path));
    expect(large.map(({ status }) => status)).toEqual(["failed_file_missing", "failed_file_missing"]);
    expect(await rig.records.live(join(rig.root, "stays"))).toMatchObject({ status: "opening" });
    expect(mended(rig)).toEqual([]);
  });

  it("D7a: that is renamed gives its name to a new file at once, and neither is lost or sent twice", async () => {
    await using rig = await startRig();
    await rig.start();
    await using held = new AsyncDisposableStack();
    const logs = Array.from({ length: 12 }, (_, at) => ({
      name: `${at}.log`,
      gapMs: [0, 1, 5, 10, 25, 50][at % 6] ?? 0,
    }));
    for (const [at, { name }] of logs.entries())
      await held.use(await GrowingFile.open(join(rig.root, name))).append(at < 6 ? PART + 10 : 100);
    for (const [at, { name }] of logs.entries())
      await rig.live(join(rig.root, name), (stream) =>
        at < 6 ? stream["next_part"] === "2" : stream["file_size"] === "100",
      );
    for (const { name, gapMs } of logs) {
      renameSync(join(rig.root, name), join(rig.root, `${name}.1`));
      if (gapMs > 0) await sleep(gapMs);
      writeFileSync(join(rig.root, name), `new ${name}`);
    }
    await held[Symbol.asyncDispose]();
    for (const [at, { name }] of logs.entries()) {
      const [rotated, fresh] = [
        await rig.completed(join(rig.root, `${name}.1`)),
        await rig.completed(join(rig.root, name)),
      ];
      if (at < 6) expect(rotated["s3_key"]).toBe(name);
      expect(await isObject(rig, rotated["s3_key"] ?? "", readFileSync(join(rig.root, `${name}.1`)))).toBe(
        true,
      );
      expect(await isObject(rig, fresh["s3_key"] ?? "", readFileSync(join(rig.root, name)))).toBe(true);
    }
    const streams = await rig.records.streams();
    expect(streams.map(({ status }) => status)).toEqual(Array.from({ length: 24 }, () => "completed"));
    const parts = rig.requests.filter(
      ({ key, partNumber }) => partNumber !== null && !key?.includes("probe"),
    );
    expect(new Set(parts.map(({ uploadId, partNumber }) => `${uploadId} ${partNumber}`)).size).toBe(
      parts.length,
    );
    expect(new Set(parts.map(({ uploadId }) => uploadId)).size).toBe(6);
    expect(await rig.bucket.openUploads()).toEqual([]);
    expect(mended(rig)).toEqual([]);
  });

  it("D7a: that is renamed while it waits to be tidied: its growth and another file at its name are taken up", async () => {
    await using rig = await startRig({ env: { SLUICE_AFTER_UPLOAD_DELAY: "4s" } });
    const kept = join(rig.directory, "kept");
    mkdirSync(kept);
    await rig.start({ SLUICE_AFTER_UPLOAD: `move:${kept}` });
    const [first, renamed] = [writeWhole(rig, "a.bin", randomBytes(1000)), join(rig.root, "b.bin")];
    await rig.live(first, ({ status }) => status === "s3_completed");
    renameSync(first, renamed);
    appendFileSync(renamed, randomBytes(500));
    const grown = readFileSync(renamed);
    const other = randomBytes(700);
    writeFileSync(first, other);
    await rig.until("the growth is in S3 under the file's key", () => isObject(rig, "a.bin", grown));
    await rig.until("the other file has an object of its own", () => isObject(rig, "a-2.bin", other));
    expect(mended(rig)).toEqual([]);
  });
});

describe.each(["while the worker runs", "while it is down"])(
  "a live file that moves %s",
  { timeout: 120_000 },
  (when) => {
    it("D7d: into another watch is a new stream there, with that watch's key and rules; the old one is superseded", async () => {
      await using rig = await startRig({ watches: ["processing", "archive"] });
      const [processing, archive] = [rig.root, join(rig.directory, "archive")];
      const targets = ["kept-processing", "kept-archive"].map((name) => join(rig.directory, name));
      for (const target of targets) mkdirSync(target);
      const config = join(rig.directory, "sluice.yaml");
      writeFileSync(
        config,
        `watches:
  - { name: processing, path: ${processing}, after_upload: "move:${targets[0]}", after_upload_delay: 0s }
  - { name: archive, path: ${archive}, after_upload: "move:${targets[1]}", after_upload_delay: 0s }
`,
      );
      const settings = { SLUICE_CONFIG: config, SLUICE_WATCH: "" };
      const worker = await rig.start(settings);
      await using large = await GrowingFile.open(join(processing, "area"));
      await using small = await GrowingFile.open(join(processing, "little"));
      await large.append(PART + 10);
      await small.append(100);
      const old = await rig.live(large.path, ({ next_part: next }) => next === "2");
      await rig.live(small.path, ({ file_size: size }) => size === "100");
      if (when === "while it is down") await worker.kill();
      for (const name of ["area", "little"]) renameSync(join(processing, name), join(archive, name));
      if (when === "while it is down") await rig.start(settings);
      const now = await rig.live(join(archive, "area"), ({ next_part: next }) => next === "2");
      await rig.live(join(archive, "little"), () => true);
      expect(now).toMatchObject({ watch: "archive", supersedes: old.id });
      expect(await rig.records.stream(old.id)).toMatchObject({
        status: "failed_file_replaced",
        superseded_by: now.id,
      });
      for (const file of [large, small]) await file[Symbol.asyncDispose]();
      for (const name of ["area", "little"]) {
        const target = join(targets[1] ?? "", name);
        const bytes = await rig.until(`${name} is tidied into its watch's place`, () => {
          try {
            return readFileSync(target);
          } catch {
            return undefined;
          }
        });
        expect(await isObject(rig, `archive/${name}`, bytes)).toBe(true);
      }
      const data = (await rig.bucket.keys()).filter((key) => !key.endsWith(".metadata.json"));
      expect(data).toEqual(["archive/area", "archive/little"]);
      // The superseded stream's upload is kept for SLUICE_FAILED_UPLOAD_RETENTION; the small one had none.
      expect((await rig.bucket.openUploads()).map(({ key }) => key)).toEqual(["processing/area"]);
      expect((await rig.records.streams()).filter(({ status }) => status.startsWith("failed"))).toHaveLength(
        1,
      );
      expect(mended(rig)).toEqual([]);
    });
  },
);
