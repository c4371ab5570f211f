/** How old the oldest byte is that is not in S3, as a real worker with a slow uplink says it, against the test's own count. */
import { join } from "node:path";
import { expect, it } from "vitest";
import { MIB, startRig, type StreamSeen } from "./rig.ts";
import { GrowingFile } from "./rig/growing-file.ts";
import { oldestSeconds } from "./rig/health.ts";

/** One part after the other: those on their way together would also be there together, and the oldest byte with them. */
const SLOW = { SLUICE_BANDWIDTH: "2MiB/s", SLUICE_UPLOAD_CONCURRENCY: "1", SLUICE_IDLE_TIMEOUT: "5m" };
/** A write takes a moment, and whoever looks sees it a moment later. */
const MOMENT_MS = 2_500;

it(
  "the age is that of the byte, not of the last part, and a killed worker's successor knows it",
  { timeout: 180_000 },
  async () => {
    await using rig = await startRig({ env: SLOW });
    const first = await rig.start();
    const path = join(rig.root, "quiet.mxf");
    await using file = await GrowingFile.open(path);
    const writes: { size: number; atMs: number }[] = [];
    const append = async (bytes: number): Promise<void> => {
      const atMs = await file.append(bytes);
      writes.push({ size: file.size, atMs });
    };
    const samples: StreamSeen[] = [];
    const sampleUntil = async (sent: number): Promise<void> => {
      await rig.live(path, (stream) => {
        samples.push(stream);
        return Number(stream["bytes_sent"]) >= sent;
      });
    };

    await append(20 * MIB);
    await sampleUntil(5 * MIB);
    await append(21 * MIB);
    await sampleUntil(15 * MIB);
    // Parts went up all the time, the last one a moment ago: the oldest byte is as old as the file all the same.
    const beganMs = writes[0]?.atMs ?? NaN;
    const waitedMs = Date.now() - beganMs;
    const saidMs = 1_000 * (await oldestSeconds(first));
    expect(saidMs).toBeGreaterThanOrEqual(waitedMs - MOMENT_MS);
    expect(saidMs).toBeLessThanOrEqual(Date.now() - beganMs + 1_000);
    expect(saidMs).toBeGreaterThan(5_000);

    await sampleUntil(25 * MIB);
    await first.kill();
    const second = await rig.start();
    await sampleUntil(30 * MIB);
    const lastMs = writes[1]?.atMs ?? NaN;
    const knownMs = 1_000 * (await oldestSeconds(second));
    expect(knownMs).toBeGreaterThanOrEqual(Date.now() - lastMs - MOMENT_MS);
    expect(knownMs).toBeLessThanOrEqual(Date.now() - lastMs + 1_000);

    // What is left is the tail: quiet, and older with each look.
    await sampleUntil(40 * MIB);
    const tail = await oldestSeconds(second);
    await rig.until("the tail is a second older", async () => (await oldestSeconds(second)) >= tail + 1);
    const said = samples.filter((stream) => stream["unprotected_since_utc"] !== undefined);
    expect(said.length).toBeGreaterThan(0);
    for (const stream of said) {
      const oldest = writes.find(({ size }) => size > Number(stream["bytes_sent"]));
      const since = Date.parse(stream["unprotected_since_utc"] ?? "");
      expect(Math.abs(since - (oldest?.atMs ?? NaN))).toBeLessThanOrEqual(MOMENT_MS);
    }
    const lease = await rig.records.redis.hgetall("worker:rig-worker");
    expect(Math.abs(Date.parse(lease["oldest_unshipped_at_utc"] ?? "") - lastMs)).toBeLessThanOrEqual(
      MOMENT_MS,
    );
  },
);
