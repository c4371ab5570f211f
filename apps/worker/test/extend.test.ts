/** P13: what a completed file gains or changes is what goes up again; all else is copied inside the store. */
import { randomBytes } from "node:crypto";
import { appendFileSync, openSync, closeSync, writeSync } from "node:fs";
import { crc32 } from "node:zlib";
import { describe, expect, it } from "vitest";
import { audit, auditRig } from "./audit.ts";
import { MIB, PART, startRig, writeWhole, type Rig } from "./rig.ts";
import { counted } from "./rig/health.ts";

const KEY = "take.mxf";
/** Bytes of the parts that a copy leaves over: fewer than there are parts. */
const LEFT_OVER = 1_000;

/** Bytes of the file that reached the endpoint. */
function sentBytes(rig: Rig): number {
  return rig.requests
    .filter(({ operation, key }) => key === KEY && (operation === "UploadPart" || operation === "PutObject"))
    .reduce((sum, { bytesIn }) => sum + bytesIn, 0);
}

const copies = (rig: Rig): number =>
  rig.requests.filter(({ operation, status }) => operation === "UploadPartCopy" && status === 200).length;

function rewrite(path: string, at: number, bytes: Buffer): void {
  const file = openSync(path, "r+");
  try {
    writeSync(file, bytes, 0, bytes.length, at);
  } finally {
    closeSync(file);
  }
}

/** A worker has completed a file of this size. */
async function completed(rig: Rig, size: number, env: Record<string, string> = {}) {
  const worker = await rig.start(env);
  const path = writeWhole(rig, KEY, randomBytes(size));
  const first = await rig.completed(path);
  return { worker, path, first, before: sentBytes(rig), copied: copies(rig) };
}

describe("a completed file", { concurrent: true, timeout: 180_000 }, () => {
  it("P13: of 64 MiB that grows by 8 sends these, and says what was copied and what was sent", async () => {
    await using rig = await startRig();
    const { worker, path, first, before } = await completed(rig, 64 * MIB);
    appendFileSync(path, randomBytes(8 * MIB));
    const second = await rig.completed(path, { not: first.id });
    expect(second).toMatchObject({ supersedes: first.id, s3_key: KEY });
    expect(sentBytes(rig) - before).toBeLessThanOrEqual(8 * MIB + LEFT_OVER);
    await audit(rig, [{ path, key: KEY }]);
    await auditRig(rig);
    const told = (await rig.records.timeline(second.id)).join("\n");
    expect(told).toContain("copied 64.0 MiB inside the store, sent 8.0 MiB");
    const counter = await counted(worker, "sluice_copied_bytes_total");
    expect(64 * MIB - counter).toBeLessThan(LEFT_OVER);
  });

  it("P13: of 24 MiB to which 64 KiB are appended again and again sends what is appended", async () => {
    await using rig = await startRig({ env: { SLUICE_IDLE_TIMEOUT: "200ms" } });
    const { path, first, before } = await completed(rig, 24 * MIB);
    const rounds = 6;
    let { id } = first;
    for (let round = 0; round < rounds; round += 1) {
      appendFileSync(path, randomBytes(64 * 1024));
      ({ id } = await rig.completed(path, { not: id }));
    }
    expect(sentBytes(rig) - before).toBeLessThanOrEqual(rounds * (64 * 1024 + LEFT_OVER));
    await audit(rig, [{ path, key: KEY }]);
    await auditRig(rig);
  });

  it("P13: whose header is rewritten after it was completed sends the first part, and no other", async () => {
    await using rig = await startRig();
    const { path, first, before } = await completed(rig, 6 * PART);
    rewrite(path, 36, randomBytes(8));
    await rig.completed(path, { not: first.id });
    expect(sentBytes(rig) - before).toBe(PART);
    await audit(rig, [{ path, key: KEY }]);
    await auditRig(rig);
  });

  it("P13: is read by others as the old object or as the new one while it is replaced, and never in between", async () => {
    await using rig = await startRig();
    const { path, first } = await completed(rig, 3 * PART);
    const wholes = new Set([await crcOf(rig)]);
    const reading = new AbortController();
    const seen: { crc: number; size: number }[] = [];
    const reader = async (): Promise<void> => {
      while (!reading.signal.aborted) seen.push(await objectSeen(rig));
    };
    const readers = [reader(), reader(), reader(), reader()];
    appendFileSync(path, randomBytes(PART));
    await rig.completed(path, { not: first.id });
    wholes.add(await crcOf(rig));
    const reads = seen.length;
    await rig.until("one of the four has read the new object", () => seen.length >= reads + 8);
    reading.abort();
    await Promise.all(readers);
    expect(new Set(seen.map(({ crc }) => crc))).toEqual(wholes);
    await audit(rig, [{ path, key: KEY }]);
  });

  it("C29c: whose worker is killed between a copy and its record is extended by the next one, and no copied byte is sent", async () => {
    await using rig = await startRig();
    const { worker, path, first, before } = await completed(rig, 4 * PART);
    await worker.terminate();
    appendFileSync(path, randomBytes(1_000));
    const killed = rig.launch({ FAILPOINT: "part_copied:kill@3" });
    expect(await killed.exited).toMatchObject({ signal: "SIGKILL" });
    await rig.start();
    await rig.completed(path, { not: first.id });
    expect(sentBytes(rig) - before).toBeLessThanOrEqual(1_000 + LEFT_OVER);
    await audit(rig, [{ path, key: KEY }]);
    await auditRig(rig);
  });

  it("P6: whose object another program replaces while it is copied from fails as a conflict, with that object untouched", async () => {
    await using rig = await startRig();
    const { path, before } = await completed(rig, 4 * PART);
    const opened = Promise.withResolvers<void>();
    const gate = { kind: "gate" as const, until: opened.promise };
    rig.s3.faults.add({ operation: "UploadPartCopy", key: KEY, times: -1 }, gate);
    appendFileSync(path, randomBytes(1_000));
    await rig.until("a copy was asked for", () => rig.s3.faults.list().some(({ acted }) => acted > 0));
    await rig.bucket.put(KEY, "of another program");
    opened.resolve();
    await rig.until("the stream has failed", async () =>
      (await rig.records.generations(path)).some(({ status }) => status === "failed_object_conflict"),
    );
    expect(await rig.bucket.text(KEY)).toBe("of another program");
    expect(sentBytes(rig) - before).toBe("of another program".length);
  });

  it("P13: goes up whole on a store that copies nothing, which start says", async () => {
    await using rig = await startRig({ quirks: { noCopy: true } });
    const { worker, path, first, before } = await completed(rig, 2 * PART);
    await worker.said("cannot copy ranges");
    appendFileSync(path, randomBytes(1_000));
    await rig.completed(path, { not: first.id });
    expect([sentBytes(rig) - before, copies(rig)]).toEqual([2 * PART + 1_000, 0]);
    await audit(rig, [{ path, key: KEY }]);
  });
});

async function objectSeen(rig: Rig): Promise<{ crc: number; size: number }> {
  const bytes = await rig.bucket.bytes(KEY);
  return { crc: crc32(bytes), size: bytes.length };
}

async function crcOf(rig: Rig): Promise<number> {
  return (await objectSeen(rig)).crc;
}
