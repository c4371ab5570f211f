/** What a stream says that it waits for is what it waits for: the real worker's words against what the store saw. */
import { randomBytes } from "node:crypto";
import { appendFileSync, closeSync, openSync, statSync, writeFileSync, writeSync } from "node:fs";
import { parseWaiting, type Waiting } from "@sluice/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { audit } from "./audit.ts";
import { document, sluice } from "./cli-process.ts";
import { MIB, PART, startRig, writeWhole, type Rig, type StreamSeen } from "./rig.ts";

let rig: Rig;

beforeAll(async () => {
  rig = await startRig({ env: { SLUICE_BANDWIDTH: "5MiB/s", SLUICE_IDLE_TIMEOUT: "5m" } });
  await rig.start();
});

afterAll(async () => {
  await rig?.[Symbol.asyncDispose]();
});

type Of<K extends Waiting["for"]> = Extract<Waiting, { for: K }>;

/** The stream's waiting of this kind, once it is as asked. */
async function waits<K extends Waiting["for"]>(
  path: string,
  kind: K,
  is: (waiting: Of<K>) => boolean = () => true,
): Promise<{ stream: StreamSeen; waiting: Of<K> }> {
  return await rig.until(`${path} waits for ${kind}`, async () => {
    const stream = await rig.records.live(path);
    const waiting = parseWaiting(stream?.["waiting_for"]);
    if (!stream || waiting?.for !== kind || !is(waiting as Of<K>)) return undefined;
    return { stream, waiting: waiting as Of<K> };
  });
}

function finish(path: string): void {
  writeFileSync(`${path}.done`, "");
}

describe("what a stream waits for", () => {
  it("parts on their way are named, with rate and end", async () => {
    const path = writeWhole(rig, "uplink.mxf", randomBytes(10 * PART));
    const { stream, waiting } = await waits(
      path,
      "parts",
      ({ rate, numbers }) => rate !== undefined && numbers !== undefined,
    );
    const seenAt = Date.now();
    const there = await rig.records.parts(stream.id);
    const numbers = waiting.numbers ?? [];
    expect(numbers.length).toBeGreaterThan(0);
    expect(waiting.count).toBe(numbers.length);
    expect(waiting.rate).toBeGreaterThan(MIB);
    expect(waiting.rate).toBeLessThan(12 * MIB);
    expect(Date.parse(waiting.until ?? "")).toBeGreaterThan(seenAt - 1_000);
    await rig.live(path, ({ next_part: next }) => Number(next) === 11);
    const finishedAt = (part: number): number =>
      rig.requests.find(
        ({ operation, key, partNumber }) =>
          operation === "UploadPart" && key === "uplink.mxf" && partNumber === part,
      )?.finishedAt ?? 0;
    for (const part of numbers.filter((number) => !there.has(number)))
      expect(finishedAt(part), `part ${part} was on its way when it was said to be`).toBeGreaterThan(
        seenAt - 2_000,
      );
    finish(path);
    await rig.completed(path);
  });

  it("a store that refuses one key is named, with its words, since when and how often", async () => {
    const fault = rig.s3.faults.add(
      { operation: "UploadPart", key: "odd.mov", times: -1 },
      { kind: "reply", reply: { status: 500, code: "InternalError", message: "not this one" } },
    );
    const beganAt = Date.now();
    const path = writeWhole(rig, "odd.mov", randomBytes(2 * PART));
    const { waiting } = await waits(path, "store", ({ attempts = 0 }) => attempts >= 4);
    expect(waiting.detail).toContain("InternalError");
    const since = Date.parse(waiting.since ?? "");
    expect(since).toBeGreaterThanOrEqual(beganAt);
    expect(Date.now() - since).toBeGreaterThan(500);
    rig.s3.faults.remove(fault);
    await waits(path, "idle");
    finish(path);
    await rig.completed(path);
  });

  it("a store in trouble is what full parts wait for, of every stream that has some", async () => {
    const paths = ["left.mov", "right.mov"].map((name) => writeWhole(rig, name, randomBytes(3 * PART)));
    for (const path of paths) await rig.live(path, ({ next_part: next }) => Number(next) > 1);
    const fault = rig.s3.faults.add(
      { times: -1 },
      { kind: "reply", reply: { status: 503, code: "SlowDown" } },
    );
    for (const path of paths) {
      const descriptor = openSync(path, "a");
      writeSync(descriptor, randomBytes(3 * PART));
      closeSync(descriptor);
    }
    for (const path of paths) {
      const { waiting } = await waits(path, "store");
      expect(waiting.detail).toContain("SlowDown");
      expect(waiting.since).toBeDefined();
    }
    rig.s3.faults.remove(fault);
    for (const path of paths) await waits(path, "idle");
    for (const path of paths) finish(path);
    for (const path of paths) await rig.completed(path);
  });

  it("the seal says how many parts it reads again, and the timeline what it repaired", async () => {
    const path = writeWhole(rig, "sealed.mp4", randomBytes(3 * PART + 100));
    await rig.live(path, ({ next_part: next }) => Number(next) === 4);
    const file = openSync(path, "r+");
    writeSync(file, randomBytes(64), 0, 64, 0);
    closeSync(file);
    const fault = rig.s3.faults.add(
      { operation: "CompleteMultipartUpload", key: "sealed.mp4" },
      { kind: "delay", ms: 3_000 },
    );
    finish(path);
    const { stream, waiting } = await waits(path, "verify");
    expect(stream.status).toBe("pending_completion");
    expect(waiting.of).toBe(3);
    const { id } = await rig.completed(path);
    rig.s3.faults.remove(fault);
    const timeline = (await rig.records.timeline(id)).join("\n");
    expect(timeline).toContain("part 1 changed on disk and was sent again");
    await audit(rig, [{ path, key: "sealed.mp4", sentAgain: [1] }]);
  });
});

it("what is at risk is current while the store is away, whatever its stream waits for", async () => {
  await using away = await startRig({ env: { SLUICE_IDLE_TIMEOUT: "5m" } });
  await away.start();
  const path = writeWhole(away, "outage.mkv", randomBytes(1_000));
  await away.live(path, ({ file_size: size }) => size === "1000");
  const reply = { status: 503, code: "ServiceUnavailable", message: "away" };
  const fault = away.s3.faults.add({ times: -1 }, { kind: "reply", reply });
  // Its first part is full: from here on it waits for CreateMultipartUpload.
  appendFileSync(path, randomBytes(PART));
  await away.live(path, ({ waiting_for: waiting }) => parseWaiting(waiting)?.for === "store");
  appendFileSync(path, randomBytes(6 * PART));
  const size = String(statSync(path).size);
  await away.live(path, ({ file_size: known }) => known === size);
  const listed = await sluice(["ls", "--json"], { env: away.env(), cwd: away.directory });
  expect(document<{ file_size: number }[]>(listed)).toMatchObject([{ file_size: Number(size) }]);
  away.s3.faults.remove(fault);
  finish(path);
  await away.completed(path);
});
