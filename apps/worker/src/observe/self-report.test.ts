import { ManualClock } from "@sluice/core/testing";
import type { WorkerReport } from "@sluice/redis-schema";
import { trouble } from "@sluice/control/troubles";
import { expect, it } from "vitest";
import { Metrics } from "./metrics.ts";
import { RecentTroubles } from "./recent-troubles.ts";
import { isDue, SelfReport } from "./self-report.ts";

const settings = [{ name: "SLUICE_PART_SIZE", group: "Parts", value: "8MiB", origin: "default" }];

it("is written when troubles have changed, less often for parts alone, and anyway now and then", () => {
  const before = { atMs: 0, troubles: 1, parts: 5 };
  expect(isDue(before, undefined)).toBe(true);
  expect(isDue({ atMs: 2_000, troubles: 1, parts: 5 }, before)).toBe(false);
  expect(isDue({ atMs: 2_000, troubles: 2, parts: 5 }, before)).toBe(true);
  expect(isDue({ atMs: 2_000, troubles: 1, parts: 6 }, before)).toBe(false);
  expect(isDue({ atMs: 10_000, troubles: 1, parts: 6 }, before)).toBe(true);
  expect(isDue({ atMs: 59_000, troubles: 1, parts: 5 }, before)).toBe(false);
  expect(isDue({ atMs: 60_000, troubles: 1, parts: 5 }, before)).toBe(true);
});

it("has the metric's durations and what an earlier process saw, and is not written without the lease", async () => {
  const clock = new ManualClock();
  const troubles = new RecentTroubles(clock);
  const metrics = new Metrics({ version: "1", source: "s" }, clock);
  const saved: WorkerReport[] = [];
  let holds = false;
  const report = new SelfReport({
    reports: {
      load: async () => ({
        troubles: [{ code: "fatal", detail: "then", count: 1, first_at: 1, last_at: 1 }],
      }),
      save: async (_id, written) => void saved.push(written),
    },
    workerId: "w",
    settings,
    troubles,
    partSeconds: () => metrics.partSeconds(),
    startedMs: 12.5,
    mayWrite: () => holds,
    clock,
    log: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
    onFault: (error) => {
      throw error;
    },
  });
  await report.look();
  expect(saved).toEqual([]);
  holds = true;
  await report.look();
  expect(saved[0]).toEqual({ settings, troubles: [expect.objectContaining({ code: "fatal" })] });
  // Nothing of a record is read for a part.
  const stream = {} as Parameters<typeof metrics.observer.partAcknowledged>[0];
  for (const ms of [40, 300, 300, 900_000])
    metrics.observer.partAcknowledged(stream, { number: 1, bytes: 1, ms, attempts: 1 });
  troubles.note({ reason: "500", ...trouble("store_unavailable") });
  await report.look();
  const { part_seconds: parts } = saved[1] ?? {};
  expect(parts?.since).toBe(13);
  expect(parts?.seconds).toBeCloseTo(900.64);
  expect(parts?.buckets.filter((bucket) => bucket.parts > 0)).toEqual([
    { le: 0.05, parts: 1 },
    { le: 0.5, parts: 2 },
    { le: null, parts: 1 },
  ]);
});
