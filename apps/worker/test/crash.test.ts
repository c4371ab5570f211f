import { randomBytes } from "node:crypto";
import { truncateSync } from "node:fs";
import { join } from "node:path";
import { parseWaiting } from "@sluice/core";
import { describe, expect, it } from "vitest";
import { audit, auditRig } from "./audit.ts";
import { PART, startRig, writeWhole, type Rig } from "./rig.ts";
import { GrowingFile } from "./rig/growing-file.ts";

/** A worker at work on a file of which two parts are in S3 and a tail is not. */
async function midFile(rig: Rig) {
  const worker = await rig.start();
  const path = join(rig.root, "take.mxf");
  const file = await GrowingFile.open(path);
  await file.append(2 * PART + 1_000_000);
  const stream = await rig.live(path, ({ next_part: next }) => next === "3");
  return { worker, path, file, stream };
}

/** Numbers of the parts the endpoint acknowledged. */
const partsSent = (rig: Rig): number[] =>
  rig.requests
    .filter(({ operation, status }) => operation === "UploadPart" && status === 200)
    .filter(({ key }) => key === "take.mxf")
    .map(({ partNumber }) => partNumber ?? 0)
    .toSorted((a, b) => a - b);

describe("SIGKILL", { concurrent: true, timeout: 180_000 }, () => {
  it("in the middle of a file costs nothing: the next worker goes on after the last acknowledged part", async () => {
    await using rig = await startRig({ env: { SLUICE_IDLE_TIMEOUT: "2s" } });
    const { worker, path, file, stream } = await midFile(rig);
    await worker.kill();
    await file.append(2 * PART);
    await rig.start();
    await file[Symbol.asyncDispose]();
    const completed = await rig.completed(path);
    expect(completed.id).toBe(stream.id);
    expect(partsSent(rig)).toEqual([1, 2, 3, 4, 5]);
    await audit(rig, [{ path, key: "take.mxf" }]);
    await auditRig(rig);
  });

  it("twelve times while a file grows: one object, no acknowledged part sent again", async () => {
    await using rig = await startRig({ env: { SLUICE_IDLE_TIMEOUT: "4s" } });
    const path = join(rig.root, "take.mxf");
    await using file = await GrowingFile.open(path);
    const asked = () => rig.requests.filter(({ key }) => key === "take.mxf").length;
    for (let kill = 0; kill < 12; kill += 1) {
      const worker = rig.launch();
      const before = asked();
      await file.append(PART + 100_000);
      const parts = partsSent(rig).length;
      // The moment differs each time: right after one of the first replies about this file, or after a part's.
      await rig.until(
        "the endpoint was asked about the file",
        () => asked() > before + (kill % 4) || partsSent(rig).length > parts,
        { everyMs: 1 },
      );
      await worker.kill();
    }
    expect(partsSent(rig).length).toBeGreaterThan(0);
    await file[Symbol.asyncDispose]();
    await rig.start();
    await rig.completed(path);
    await audit(rig, [{ path, key: "take.mxf" }]);
    await auditRig(rig);
  });

  it("S7: before a part is recorded leaves none that Complete does not name, where a store refuses that", async () => {
    await using rig = await startRig({ quirks: { refuseUnlistedParts: true } });
    const path = writeWhole(rig, "take.mxf", randomBytes(2 * PART + 1_000_000));
    const killed = rig.launch({ FAILPOINT: "part_acknowledged:kill@3" });
    expect(await killed.exited).toMatchObject({ signal: "SIGKILL" });
    // Shorter than what went up: the new generation has an upload of its own, with its own parts alone.
    truncateSync(path, PART + 10);
    await rig.start();
    await rig.completed(path);
    await audit(rig, [{ path, key: "take.mxf" }]);
    await auditRig(rig, { failed: ["file_truncated"], openUploads: 1 });
  });

  it("of the owner lets a worker with another id on the same host take over at once", async () => {
    await using rig = await startRig();
    const { worker, path, file, stream } = await midFile(rig);
    const second = await rig.start({ SLUICE_WORKER_ID: "second" });
    await second.said("interrupted streams resumed");
    expect((await rig.records.stream(stream.id))?.["owner"]).toBe("rig-worker");
    await worker.kill();
    // Its lease outlives the test: only that its process is gone can free the stream.
    expect(await rig.records.redis.pexpire("worker:rig-worker", 600_000)).toBe(1);
    const third = await rig.start({ SLUICE_WORKER_ID: "third" });
    const taken = await rig.live(path, ({ owner }) => owner === "third" || owner === "second");
    expect(Number(taken["fence"])).toBe(Number(stream["fence"]) + 1);
    await file[Symbol.asyncDispose]();
    await rig.completed(path);
    expect(third.running).toBe(true);
    await audit(rig, [{ path, key: "take.mxf" }]);
    await auditRig(rig);
  });
});

describe("SIGTERM", { concurrent: true, timeout: 180_000 }, () => {
  it("ends the worker with 0: parts in flight are finished, the stream is let go, the next worker sends only what is new", async () => {
    await using rig = await startRig();
    const { worker, path, file } = await midFile(rig);
    expect(await worker.terminate()).toEqual({ code: 0, signal: null });
    const left = (await rig.records.generations(path))[0];
    expect(left).toMatchObject({ status: "processing", next_part: "3" });
    expect(left?.["owner"]).toBeUndefined();
    expect(await rig.records.redis.exists("worker:rig-worker")).toBe(0);
    await file.append(PART);
    await file[Symbol.asyncDispose]();
    await rig.start({ SLUICE_WORKER_ID: "next" });
    await rig.completed(path);
    expect(partsSent(rig)).toEqual([1, 2, 3, 4]);
    await audit(rig, [{ path, key: "take.mxf" }]);
    await auditRig(rig);
  });

  it("with SLUICE_ON_TERM=seal completes what nobody writes before it ends", async () => {
    await using rig = await startRig({
      env: { SLUICE_ON_TERM: "seal", SLUICE_IDLE_TIMEOUT: "1h", SLUICE_IDLE_MAX: "1h" },
    });
    const { worker, path, file } = await midFile(rig);
    await file[Symbol.asyncDispose]();
    expect(await worker.terminate()).toEqual({ code: 0, signal: null });
    expect((await rig.records.generations(path))[0]).toMatchObject({
      status: "completed",
      completed_by: "term",
    });
    await audit(rig, [{ path, key: "take.mxf" }]);
    await auditRig(rig);
  });

  it("twice ends it at once", async () => {
    await using rig = await startRig({ env: { SLUICE_DRAIN_TIMEOUT: "60s" } });
    const { worker, path, file } = await midFile(rig);
    rig.s3.faults.add({ operation: "UploadPart", times: -1 }, { kind: "hang" });
    await file.append(PART);
    await file[Symbol.asyncDispose]();
    await rig.until("a part is on its way into the black hole", () =>
      rig.s3.faults.list().some(({ acted }) => acted > 0),
    );
    // What it waited for before is written until the record says this.
    await rig.live(path, ({ waiting_for: text }) => {
      const waiting = parseWaiting(text);
      return waiting?.for === "parts" && waiting.numbers?.join() === "3";
    });
    worker.signal("SIGTERM");
    await worker.said("shutting down");
    const askedAt = performance.now();
    // Signals within a moment of the first count as one, so it is sent until it is taken for a second.
    await rig.until("the worker ends", () => {
      worker.signal("SIGTERM");
      return !worker.running;
    });
    expect(await worker.exited).toEqual({ code: 75, signal: null });
    expect(performance.now() - askedAt).toBeLessThan(2_000);
  });
});

describe("a second worker", { concurrent: true, timeout: 180_000 }, () => {
  it("under the id of a living one is refused, and the first goes on", async () => {
    await using rig = await startRig();
    const { worker, path, file } = await midFile(rig);
    const second = rig.launch();
    const { code } = await second.exited;
    expect(code).not.toBe(0);
    expect(second.other.join("\n")).toContain("SLUICE_WORKER_ID");
    expect(worker.running).toBe(true);
    await file[Symbol.asyncDispose]();
    await rig.completed(path);
    await audit(rig, [{ path, key: "take.mxf" }]);
  });
});
