/** The safeguard as a real worker keeps it: what S3 holds of a growing file, against the test's own count of its writes. */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { audit, auditRig } from "./audit.ts";
import { MIB, PART, startRig, type Rig, type RigOptions } from "./rig.ts";
import { GrowingFile } from "./rig/growing-file.ts";

const WINDOW_MS = 2_000;
const KIB = 1024;
/** A look that comes late, and one request, on a machine that is busy. */
const MOMENT_MS = 2_500;

const guardedRig = async (env: Record<string, string> = {}, options: RigOptions = {}): Promise<Rig> =>
  await startRig({
    ...options,
    env: { SLUICE_TAIL_SAFEGUARD: "2s", SLUICE_IDLE_TIMEOUT: "10s", SLUICE_TAIL_BUDGET: "64MiB/s", ...env },
  });

const tails = (rig: Rig, key: string) =>
  rig.requests.filter(
    ({ operation, status, key: of }) => operation === "UploadPart" && status === 200 && of === key,
  );

describe("the safeguard", { concurrent: true, timeout: 180_000 }, () => {
  it("P12: keeps what is written protected within the window, before the first part is full and after it", async () => {
    await using rig = await guardedRig();
    await rig.start();
    const path = join(rig.root, "radio.aac");
    await using file = await GrowingFile.open(path);
    const writes: { size: number; atMs: number }[] = [];
    let most = 0;
    /** How old the oldest byte is that S3 does not hold, by the record and the test's own clock. */
    const watching = async (): Promise<void> => {
      const stream = await rig.records.live(path);
      const bytes = Number(stream?.["protected_bytes"] ?? 0);
      const oldest = writes.find(({ size }) => size > bytes);
      if (oldest && bytes > 0) most = Math.max(most, Date.now() - oldest.atMs);
    };
    for (let n = 0; n < 60; n += 1) {
      const atMs = await file.append(200 * KIB);
      writes.push({ size: file.size, atMs });
      await watching();
      await sleep(250);
    }
    const stream = await rig.live(path, (seen) => Number(seen["protected_bytes"]) > PART);
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(WINDOW_MS + MOMENT_MS);
    expect(stream["protected_at_utc"]).toBeDefined();
    const sent = tails(rig, "radio.aac");
    // The same part again and again, then the full one in its place.
    expect(sent.filter(({ partNumber }) => partNumber === 1).length).toBeGreaterThan(2);
    expect(sent.filter(({ partNumber, bytesIn }) => partNumber === 1 && bytesIn >= PART)).toHaveLength(1);
    await file[Symbol.asyncDispose]();
    await rig.completed(path);
    await audit(rig, [{ path, key: "radio.aac", sentAgain: "any" }]);
    await auditRig(rig);
  });

  it("kill -9: the next worker goes on from a short part, and the object is the file", async () => {
    await using rig = await guardedRig();
    const first = await rig.start();
    const path = join(rig.root, "take.mxf");
    await using file = await GrowingFile.open(path);
    await file.append(300 * KIB);
    await rig.live(path, (seen) => Number(seen["protected_bytes"]) === file.size);
    await first.kill();
    await file.append(PART);
    await rig.start();
    await rig.live(path, (seen) => Number(seen["bytes_sent"]) === file.size);
    await file[Symbol.asyncDispose]();
    await rig.completed(path);
    expect(tails(rig, "take.mxf").filter(({ bytesIn }) => bytesIn >= PART)).toHaveLength(1);
    await audit(rig, [{ path, key: "take.mxf", sentAgain: "any" }]);
    await auditRig(rig);
  });

  it("a short part that lands on the full one is found after its deadline, and the full one goes again", async () => {
    await using rig = await guardedRig();
    const landing = Promise.withResolvers<void>();
    rig.s3.faults.add(
      { operation: "UploadPart", key: "late.mxf" },
      { kind: "actLate", until: landing.promise },
    );
    await rig.start();
    const path = join(rig.root, "late.mxf");
    await using file = await GrowingFile.open(path);
    const beganMs = Date.now();
    await file.append(100 * KIB);
    await rig.live(path, (seen) => Number(seen["bytes_sent"]) > 0);
    await file.append(PART);
    const full = await rig.live(path, (seen) => Number(seen["bytes_sent"]) >= PART);
    // All of it was acknowledged, and none of it is certain.
    expect(full["protected_bytes"]).toBe("0");
    landing.resolve();
    await rig.until("the short part landed", () =>
      rig.requests.some(({ faults }) => faults.includes("actLate")),
    );
    await rig.live(path, (seen) => Number(seen["protected_bytes"]) >= PART, { withinMs: 90_000 });
    expect(Date.now() - beganMs).toBeGreaterThan(30_000);
    expect(tails(rig, "late.mxf").filter(({ bytesIn }) => bytesIn >= PART)).toHaveLength(2);
    await file[Symbol.asyncDispose]();
    await rig.completed(path);
    await audit(rig, [{ path, key: "late.mxf", sentAgain: "any" }]);
    await auditRig(rig);
  });

  it("so is one that the worker before had under way when it was killed", async () => {
    await using rig = await guardedRig();
    const landing = Promise.withResolvers<void>();
    rig.s3.faults.add(
      { operation: "UploadPart", key: "left.mxf" },
      { kind: "actLate", until: landing.promise },
    );
    const first = await rig.start();
    const path = join(rig.root, "left.mxf");
    await using file = await GrowingFile.open(path);
    await file.append(100 * KIB);
    await rig.until("the tail is under way", () => rig.s3.faults.list()[0]?.acted === 1, { everyMs: 1 });
    await first.kill();
    await file.append(PART);
    await rig.start();
    const full = await rig.live(path, (seen) => Number(seen["bytes_sent"]) >= PART);
    expect(full["protected_bytes"]).toBe("0");
    landing.resolve();
    await rig.until("the short part landed", () =>
      rig.requests.some(({ faults }) => faults.includes("actLate")),
    );
    await rig.live(path, (seen) => Number(seen["protected_bytes"]) >= PART, { withinMs: 90_000 });
    expect(tails(rig, "left.mxf").filter(({ bytesIn }) => bytesIn >= PART)).toHaveLength(2);
    await file[Symbol.asyncDispose]();
    await rig.completed(path);
    await audit(rig, [{ path, key: "left.mxf", sentAgain: "any" }]);
    await auditRig(rig);
  });

  it("a file that is written once and left goes up in one PutObject", async () => {
    await using rig = await guardedRig({ SLUICE_IDLE_TIMEOUT: "2s" });
    await rig.start();
    const path = join(rig.root, "small.txt");
    {
      await using file = await GrowingFile.open(path);
      await file.append(1_000);
    }
    await rig.completed(path);
    expect(rig.requests.filter(({ operation }) => operation === "CreateMultipartUpload")).toHaveLength(
      rig.requests.filter(
        ({ operation, key }) => operation === "CreateMultipartUpload" && key?.includes("probe"),
      ).length,
    );
  });

  it("many slow files share the budget: none is left out, and the window reached is said", async () => {
    await using rig = await guardedRig({ SLUICE_TAIL_REQUESTS: "4/s", SLUICE_IDLE_TIMEOUT: "5m" });
    await rig.start();
    const files = await Promise.all(
      Array.from({ length: 20 }, (_, n) => GrowingFile.open(join(rig.root, `${n}.log`))),
    );
    try {
      const protectedAll = async (): Promise<boolean> => {
        for (const file of files) await file.append(100);
        const streams = await rig.records.streams();
        return streams.length === 20 && streams.every((seen) => Number(seen["protected_bytes"] ?? 0) > 0);
      };
      await rig.until("every file is protected once", protectedAll, { withinMs: 90_000, everyMs: 500 });
      const lease = await rig.until("the lease says the window reached", async () => {
        const seen = await rig.records.redis.hgetall("worker:rig-worker");
        return seen["tail_window_reached_ms"] === undefined ? undefined : seen;
      });
      expect(lease["tail_window_ms"]).toBe("2000");
      expect(Number(lease["tail_window_reached_ms"])).toBeGreaterThan(WINDOW_MS);
    } finally {
      await Promise.all(files.map((file) => file[Symbol.asyncDispose]()));
    }
  });

  it("stays off on a store that keeps replaced parts, and says so", async () => {
    await using rig = await guardedRig({ SLUICE_S3_PROFILE: "ceph" });
    const worker = await rig.start();
    expect(worker.tail()).toContain("The safeguard (SLUICE_TAIL_SAFEGUARD) stays off");
    const path = join(rig.root, "take.mxf");
    await using file = await GrowingFile.open(path);
    await file.append(PART + MIB);
    await rig.live(path, (seen) => seen["next_part"] === "2");
    // The lease is renewed after the window: a tail would have gone up by then.
    const since = Date.now() + 2 * WINDOW_MS;
    await rig.until("the worker has looked again", async () => {
      const lease = await rig.records.redis.hgetall("worker:rig-worker");
      return Date.parse(lease["renewed_at_utc"] ?? "") > since;
    });
    expect(tails(rig, "take.mxf")).toHaveLength(1);
  });
});
