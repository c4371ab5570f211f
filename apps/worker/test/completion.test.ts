import { randomBytes } from "node:crypto";
import { appendFileSync, renameSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseWaiting, type Waiting } from "@sluice/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { audit, auditRig } from "./audit.ts";
import { PART, startRig, writeWhole, type Rig, type StreamSeen } from "./rig.ts";
import { GrowingFile } from "./rig/growing-file.ts";

/** `patient` never calls a file idle within a test; `hasty` does after a second. */
let patient: Rig;
let hasty: Rig;

beforeAll(async () => {
  patient = await startRig({ env: { SLUICE_IDLE_TIMEOUT: "1h", SLUICE_IDLE_MAX: "1h" } });
  hasty = await startRig();
  await Promise.all([patient.start(), hasty.start()]);
  // While one live file is there, others that vanish are missing, not away with their volume.
  writeWhole(patient, "anchor.bin", "stays");
});

afterAll(async () => {
  await Promise.all([patient?.[Symbol.asyncDispose](), hasty?.[Symbol.asyncDispose]()]);
});

const waitsFor = (reason: Waiting["for"]) => (stream: StreamSeen) =>
  parseWaiting(stream["waiting_for"])?.for === reason;

describe("a file with a temporary suffix", { concurrent: true, timeout: 120_000 }, () => {
  it.each([
    [".part", 2 * PART + 5],
    [".tmp", 10],
    [".partial", PART],
  ])(
    "%s goes up under its final name while it grows and is completed by the rename that drops it (F31)",
    async (suffix, size) => {
      const name = `take${suffix}-final.mov`;
      const growing = join(patient.root, `${name}${suffix}`);
      await using file = await GrowingFile.open(growing);
      await file.append(size);
      const stream = await patient.live(growing, waitsFor("rename"));
      expect(stream["s3_key"] ?? name).toBe(name);
      await file[Symbol.asyncDispose]();
      const path = join(patient.root, name);
      renameSync(growing, path);
      const completed = await patient.completed(path);
      expect(completed).toMatchObject({ id: stream.id, completed_by: "rename" });
      await audit(patient, [{ path, key: name }]);
    },
  );

  it("stays open however long it is quiet", async () => {
    const path = writeWhole(hasty, "quiet.mov.part", "not all there yet");
    await hasty.live(path, waitsFor("rename"));
    const other = writeWhole(hasty, "meanwhile.mov", "all there");
    await hasty.completed(other);
    expect(await hasty.records.live(path)).toMatchObject({ status: "opening" });
    renameSync(path, join(hasty.root, "quiet.mov"));
    await hasty.completed(join(hasty.root, "quiet.mov"));
    await audit(hasty, [{ path: join(hasty.root, "quiet.mov"), key: "quiet.mov" }]);
  });

  it("is completed by a marker for its final name, under the key without the suffix", async () => {
    const path = writeWhole(patient, "marked.mov.part", randomBytes(100));
    await patient.live(path, waitsFor("rename"));
    writeFileSync(join(patient.root, "marked.mov.done"), "");
    expect(await patient.completed(path)).toMatchObject({ completed_by: "marker" });
    await audit(patient, [{ path, key: "marked.mov" }]);
  });
});

describe("a marker", { concurrent: true, timeout: 120_000 }, () => {
  it("completes its file at once and is no stream itself", async () => {
    const path = writeWhole(patient, "take.wav", randomBytes(PART + 1));
    await patient.live(path, (stream) => stream["next_part"] === "2" && waitsFor("idle")(stream));
    writeFileSync(`${path}.done`, "");
    expect(await patient.completed(path)).toMatchObject({ completed_by: "marker" });
    expect(await patient.records.generations(`${path}.done`)).toEqual([]);
    await audit(patient, [{ path, key: "take.wav" }]);
  });

  it("that is there before its file completes it as well", async () => {
    const path = join(patient.root, "late.wav");
    writeFileSync(path, "bytes");
    writeFileSync(`${path}.done`, "");
    await patient.completed(path);
    await expect(audit(patient, [{ path, key: "late.wav" }])).resolves.toBeUndefined();
  });

  it("older than the last write completes nothing until it is written anew", async () => {
    const path = join(patient.root, "stale.wav");
    writeFileSync(`${path}.done`, "");
    utimesSync(`${path}.done`, 1_700_000_000, 1_700_000_000);
    writeFileSync(path, "bytes");
    const stream = await patient.live(path, waitsFor("marker"));
    expect(stream.status).toBe("opening");
    writeFileSync(`${path}.done`, "");
    await patient.completed(path);
    await audit(patient, [{ path, key: "stale.wav" }]);
  });
});

describe("a quiet file", { concurrent: true, timeout: 120_000 }, () => {
  it("F15: that a process holds open for writing waits for it, and says for whom", async () => {
    const path = join(hasty.root, "held.mxf");
    await using file = await GrowingFile.open(path);
    await file.append(PART + 5);
    const stream = await hasty.live(path, waitsFor("writer"));
    expect(JSON.parse(stream["waiting_for"] ?? "")).toMatchObject({ for: "writer", pid: process.pid });
    // Long past the idle timeout: files that came later are through.
    for (const name of ["after-1.bin", "after-2.bin"]) await hasty.completed(writeWhole(hasty, name, name));
    expect(await hasty.records.live(path)).toMatchObject({ id: stream.id, status: "processing" });
    await file[Symbol.asyncDispose]();
    await hasty.completed(path);
    await audit(hasty, [{ path, key: "held.mxf" }]);
  });

  it("that is written again while it is held waits anew, and all of it arrives", async () => {
    const path = join(hasty.root, "held-and-written.mxf");
    await using file = await GrowingFile.open(path);
    await file.append(100);
    await hasty.live(path, waitsFor("writer"));
    await file.append(PART);
    await file[Symbol.asyncDispose]();
    await hasty.completed(path);
    await expect(audit(hasty, [{ path, key: "held-and-written.mxf" }])).resolves.toBeUndefined();
  });
});

describe("a completed file", { concurrent: true, timeout: 120_000 }, () => {
  it.each([
    ["small", 10, 20],
    ["of several parts", 2 * PART + 10, PART],
  ])(
    "%s that grows again becomes a new generation that replaces its object (F3)",
    async (what, size, more) => {
      const name = `grows-again-${size}-bytes.bin`;
      const path = writeWhole(hasty, name, randomBytes(size));
      const first = await hasty.completed(path);
      await audit(hasty, [{ path, key: name }]);
      appendFileSync(path, randomBytes(more));
      const second = await hasty.completed(path, { not: first.id });
      expect(second).toMatchObject({ supersedes: first.id, s3_key: name });
      await audit(hasty, [{ path, key: name }]);
      expect(await hasty.bucket.keys(`grows-again-${size}-bytes`), what).toHaveLength(2);
    },
  );

  it("that is renamed keeps its object, and nothing is sent", async () => {
    const path = writeWhole(hasty, "before.bin", randomBytes(PART));
    const { id } = await hasty.completed(path);
    const asked = hasty.requests.filter(({ key }) => key?.startsWith("before")).length;
    const renamed = join(hasty.root, "after.bin");
    renameSync(path, renamed);
    await hasty.until(
      "its entry follows",
      async () => (await hasty.records.done(renamed))?.["stream_id"] === id,
    );
    expect(await hasty.records.done(path)).toBeUndefined();
    expect(await hasty.records.generations(renamed)).toEqual([]);
    expect(
      hasty.requests.filter(({ key }) => key?.startsWith("before") || key?.startsWith("after.bin")),
    ).toHaveLength(asked);
  });

  it("that gives its name to a new file: the new file gets an object of its own (F10)", async () => {
    const path = writeWhole(hasty, "reused.bin", "the first file");
    const first = await hasty.completed(path);
    const replacement = join(hasty.directory, "replacement");
    writeFileSync(replacement, "the second file, another inode");
    renameSync(replacement, path);
    const second = await hasty.completed(path, { not: first.id });
    expect(second["s3_key"]).toBe("reused-2.bin");
    await audit(hasty, [{ path, key: "reused-2.bin" }]);
    expect(await hasty.bucket.text("reused.bin")).toBe("the first file");
  });
});

describe(
  "a file that is replaced, cut or lost before it is complete",
  { concurrent: true, timeout: 120_000 },
  () => {
    it("makes room for the file that takes its name: two files never meet in one object (F8)", async () => {
      const path = join(patient.root, "replaced.bin");
      writeFileSync(path, randomBytes(PART + 10));
      const first = await patient.live(path, ({ next_part: next }) => next === "2");
      const replacement = join(patient.directory, "replacement");
      writeFileSync(replacement, randomBytes(2 * PART + 20));
      renameSync(replacement, path);
      const second = await patient.live(path, ({ id, next_part: next }) => id !== first.id && next === "3");
      expect(await patient.records.stream(first.id)).toMatchObject({
        status: "failed_file_replaced",
        superseded_by: second.id,
      });
      writeFileSync(`${path}.done`, "");
      await patient.completed(path);
      await audit(patient, [{ path, key: "replaced.bin" }]);
      expect(await patient.bucket.openUploads("replaced.bin")).toHaveLength(1);
    });

    it("begins a new generation when it is cut below what was sent, as copytruncate does (F4, F6)", async () => {
      const path = join(patient.root, "cut.bin");
      writeFileSync(path, randomBytes(PART + 10));
      const first = await patient.live(path, ({ next_part: next }) => next === "2");
      writeFileSync(path, "short");
      const second = await patient.live(path, ({ id }) => id !== first.id);
      expect(await patient.records.stream(first.id)).toMatchObject({
        status: "failed_file_truncated",
        superseded_by: second.id,
      });
      writeFileSync(`${path}.done`, "");
      await patient.completed(path);
      await audit(patient, [{ path, key: "cut.bin" }]);
    });

    it("leaves nothing when no part of it had been sent", async () => {
      const path = join(patient.root, "emptied.bin");
      writeFileSync(path, "some bytes");
      const first = await patient.live(path, ({ file_size: size }) => size === "10");
      const replacement = join(patient.directory, "emptied");
      writeFileSync(replacement, "other bytes!");
      renameSync(replacement, path);
      await patient.live(path, ({ id }) => id !== first.id);
      expect(await patient.records.stream(first.id)).toBeUndefined();
      writeFileSync(`${path}.done`, "");
      await patient.completed(path);
      await audit(patient, [{ path, key: "emptied.bin" }]);
    });

    it("fails file_missing when it vanishes, keeps its parts, and heals when it is back (F11)", async () => {
      const path = join(patient.root, "vanishes.bin");
      writeFileSync(path, randomBytes(PART + 10));
      const stream = await patient.live(path, ({ next_part: next }) => next === "2");
      const away = join(patient.directory, "away.bin");
      renameSync(path, away);
      await patient.until(
        "it fails",
        async () => (await patient.records.stream(stream.id))?.status === "failed_file_missing",
      );
      expect(await patient.bucket.openUploads("vanishes.bin")).toHaveLength(1);
      renameSync(away, path);
      await patient.live(path, ({ status }) => status === "processing");
      writeFileSync(`${path}.done`, "");
      expect((await patient.completed(path)).id).toBe(stream.id);
      await audit(patient, [{ path, key: "vanishes.bin" }]);
    });

    it("that vanishes for good stays failed and visible once bytes of it are in S3", async () => {
      const path = writeWhole(patient, "gone.bin", randomBytes(PART + 10));
      const stream = await patient.live(path, ({ next_part: next }) => next === "2");
      rmSync(path);
      await patient.until(
        "it fails",
        async () => (await patient.records.stream(stream.id))?.status === "failed_file_missing",
      );
      expect(await patient.records.indexesOf(stream.id)).toEqual(["streams:failed"]);
    });
  },
);

describe("in the end", () => {
  it("nothing is left but what failed, with its uploads", async () => {
    await auditRig(hasty);
    await auditRig(patient, {
      failed: ["file_missing", "file_replaced", "file_truncated"],
      openUploads: 3,
      live: 1,
    });
    expect(hasty.workers[0]?.running && patient.workers[0]?.running).toBe(true);
  });
});
