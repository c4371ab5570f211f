import { randomBytes } from "node:crypto";
import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { audit, auditRig } from "./audit.ts";
import { MIB, PART, startRig, writeWhole, type Rig, type WorkerProcess } from "./rig.ts";
import { GrowingFile } from "./rig/growing-file.ts";

let rig: Rig;
let worker: WorkerProcess;

beforeAll(async () => {
  rig = await startRig();
  worker = await rig.start();
});

afterAll(async () => {
  await rig?.[Symbol.asyncDispose]();
});

/** When the endpoint had acknowledged this part, ms since 1970. */
function acknowledgedAt(key: string, part: number): number {
  const entry = rig.requests.find(
    ({ operation, key: of, partNumber, status }) =>
      operation === "UploadPart" && of === key && partNumber === part && status === 200,
  );
  if (!entry) throw new Error(`part ${part} of ${key} was never acknowledged`);
  return entry.finishedAt;
}

describe.concurrent("a growing file", () => {
  it(
    "written at 1 KiB/s has its first part in S3 within 10 s of the part's last byte",
    { timeout: 120_000 },
    async () => {
      const path = join(rig.root, "slow.log");
      await using file = await GrowingFile.open(path);
      await file.append(PART - 8 * 1024);
      let fullAtMs = 0;
      // It goes on growing for longer than the part may take.
      await file.appendAtPace(PART + 12 * 1024, 1024, 1_000, (size, atMs) => {
        if (size >= PART) fullAtMs ||= atMs;
      });
      expect(acknowledgedAt("slow.log", 1) - fullAtMs).toBeLessThanOrEqual(10_000);
      await file[Symbol.asyncDispose]();
      await rig.completed(path);
      await audit(rig, [{ path, key: "slow.log" }]);
    },
  );

  it("written at 50 MiB/s has its first part in S3 before its last quarter is written", async () => {
    const path = join(rig.root, "fast.mxf");
    const size = 200 * MIB + 12_345;
    let lastQuarterAtMs = 0;
    await using file = await GrowingFile.open(path);
    await file.appendAtPace(size, 5 * MIB, 100, (written, atMs) => {
      if (written >= 0.75 * size) lastQuarterAtMs ||= atMs;
    });
    await file[Symbol.asyncDispose]();
    await rig.completed(path);
    expect(acknowledgedAt("fast.mxf", 1)).toBeLessThan(lastQuarterAtMs);
    await audit(rig, [{ path, key: "fast.mxf" }]);
  });

  it("written in bursts over more than four parts goes up between the bursts", async () => {
    const path = join(rig.root, "bursts.pcap");
    const size = 5 * PART + 777;
    await using file = await GrowingFile.open(path);
    // Three bursts that end within parts, each waited for before the next: what is full is in S3 while the file waits.
    for (const end of [1.5 * PART, 3.2 * PART, 4.9 * PART]) {
      await file.append(end - file.size);
      const full = Math.floor(end / PART);
      await rig.live(path, (stream) => Number(stream["next_part"]) > full, { withinMs: 15_000 });
    }
    const lastBurstAtMs = Date.now();
    await file.append(size - file.size);
    await file[Symbol.asyncDispose]();
    await rig.completed(path);
    expect(acknowledgedAt("bursts.pcap", 4)).toBeLessThan(lastBurstAtMs);
    await audit(rig, [{ path, key: "bursts.pcap" }]);
  });

  it("in a directory that a timer follows is sent, and completed under its new name by its marker", async () => {
    const directory = join(rig.root, "often");
    mkdirSync(directory);
    const cameras = Array.from({ length: 20 }, (_, n) => join(directory, `camera-${n}.ts`));
    const busy = cameras.map((path) => openSync(path, "a"));
    const timer = setInterval(() => busy.forEach((file) => writeSync(file, "x")), 10);
    try {
      await worker.said("a timer looks at them instead of events");
      const path = join(directory, "recording.mxf");
      await using file = await GrowingFile.open(path);
      await file.append(1.5 * PART);
      await rig.live(path, (stream) => Number(stream["next_part"]) > 1);
      await file.append(PART);
      await rig.live(path, (stream) => Number(stream["next_part"]) > 2);
      await file[Symbol.asyncDispose]();
      const renamed = join(directory, "renamed.mxf");
      const renamedAtMs = Date.now();
      renameSync(path, renamed);
      writeFileSync(`${renamed}.done`, "");
      await rig.completed(renamed);
      expect(acknowledgedAt("often/recording.mxf", 2)).toBeLessThanOrEqual(renamedAtMs);
      await audit(rig, [{ path: renamed, key: "often/recording.mxf" }]);
    } finally {
      clearInterval(timer);
      busy.forEach((file) => closeSync(file));
    }
    for (const path of cameras) await rig.completed(path);
  });

  it.each([
    ["is empty", "empty.bin", 0],
    ["has one byte", "one-byte.bin", 1],
    ["is one byte short of a part", "almost-a-part.bin", PART - 1],
    ["is exactly one part", "a-part.bin", PART],
    ["is one byte longer than a part", "a-part-and-a-byte.bin", PART + 1],
    ["is exactly two parts", "two-parts.bin", 2 * PART],
    ["has 300 MiB", "large.bin", 300 * MIB],
  ])("becomes one object when it %s", async (_, name, size) => {
    const path = writeWhole(rig, name, randomBytes(size));
    const stream = await rig.completed(path);
    expect(stream["s3_upload_id"] !== undefined).toBe(size >= PART);
    await audit(rig, [{ path, key: name }]);
  });

  it("F14: preallocated, then filled in place, is the object it has become", async () => {
    const path = join(rig.root, "preallocated.mov.part");
    writeFileSync(path, "");
    truncateSync(path, 3 * PART);
    await rig.live(path, ({ next_part: next }) => next === "4");
    const file = openSync(path, "r+");
    writeSync(file, randomBytes(2 * PART), 0, 2 * PART, PART / 2);
    closeSync(file);
    writeFileSync(join(rig.root, "preallocated.mov.done"), "");
    await rig.completed(path);
    // What was sent of the empty file was sent again at the seal.
    const pieces: Buffer[] = [];
    for await (const piece of rig.bucket.read("preallocated.mov", 3 * PART)) pieces.push(piece);
    expect(Buffer.concat(pieces).equals(readFileSync(path))).toBe(true);
  });
});

describe("at rest", () => {
  it("1,000 small files that come at once each become one object with two requests", async () => {
    const names = Array.from({ length: 1_000 }, (_, at) => `small/${at % 10}/${at}.csv`);
    for (let at = 0; at < 10; at += 1) mkdirSync(join(rig.root, "small", String(at)), { recursive: true });
    for (const name of names) writeFileSync(join(rig.root, name), `row of ${name}\n`.repeat(50));
    const before = rig.requests.length;
    await rig.until(
      "1,000 small files are completed",
      async () => (await rig.records.redis.hlen("files:done")) >= 1_000 + 10,
      { withinMs: 60_000, everyMs: 200 },
    );
    const asked = rig.requests.slice(before).filter(({ key }) => key?.startsWith("small/"));
    expect(asked).toHaveLength(2_000);
    await audit(
      rig,
      names.map((name) => ({ path: join(rig.root, name), key: name })),
    );
  });

  it("nothing is left behind", async () => {
    await expect(auditRig(rig)).resolves.toBeUndefined();
  });
});
