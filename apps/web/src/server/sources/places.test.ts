import { NO_COUNTS, type Counters } from "@sluice/redis-schema/records/stats";
import type { WorkerListing } from "@sluice/redis-schema/worker-registry";
import type { StreamRow } from "@sluice/control/stream-row";
import { expect, it } from "vitest";
import { minutesOfSource, minutesOfWatch, sourcesOf } from "./places.ts";

const MINUTE = 60_000;
const NOW = 1_000 * MINUTE;
const MIB = 1024 * 1024;

function row(id: string, more: Partial<StreamRow>): StreamRow {
  return {
    id,
    status: "processing",
    kind: "processing",
    index: "active",
    source: "a",
    watch: "cam",
    ...more,
  };
}

function worker(id: string, source: string, watches: string[]): WorkerListing {
  const iso = new Date(NOW - 5_000).toISOString();
  const value = {
    nonce: "n",
    boot_id: "b",
    pid_namespace: "p",
    host: `host-${id}`,
    pid: 1,
    process_started: "1",
    version: "1",
    source,
    watches,
    state: "ok" as const,
    in_flight_bytes: 0,
    free_space: watches.map((watch) => ({ watch, free_bytes: 5, total_bytes: 10 })),
    started_at_utc: iso,
    renewed_at_utc: iso,
  };
  return { id, lastSeenAt: NOW, ageMs: 0, lease: { kind: "ok", value } };
}

function minute(startsAt: number, byWatch: Record<string, Partial<Counters>>, byWorker = {}) {
  return { startsAt, all: { ...NO_COUNTS, bytes_sent: 999 }, byWorker, byWatch };
}

function sources(rows: StreamRow[], listings: WorkerListing[], minutes: ReturnType<typeof minute>[] = []) {
  return sourcesOf({ rows, listings, watches: [], minutes, now: NOW, stallAfterMs: 60_000 });
}

it("a source adds up its watches, each with its own bytes, failures, rates, disk and workers", () => {
  const since = new Date(NOW - 30_000).toISOString();
  const found = sources(
    [
      row("1", { file_size: 10 * MIB, bytes_sent: 8 * MIB, unprotected_since_utc: since }),
      row("2", { watch: "mic", file_size: 3 * MIB, bytes_sent: 0, protected_bytes: 2 * MIB }),
      row("3", {
        kind: "failed",
        index: "failed",
        status: "failed_file_missing",
        file_size: 4,
        bytes_sent: 1,
      }),
      row("4", { kind: "completed", index: "completed", status: "completed", file_size: 4 }),
      row("5", { source: "b", file_size: 1, bytes_sent: 0 }),
    ],
    [worker("w1", "a", ["cam", "mic"]), worker("w2", "b", ["x"])],
    [minute(NOW - MINUTE, { "a/cam": { bytes_sent: 600, bytes_in: 60 }, "a/mic": { bytes_sent: 60 } })],
  );
  expect(found.map(({ source }) => source)).toEqual(["a", "b"]);
  const [a] = found;
  expect(a).toMatchObject({
    live: 2,
    failed: 1,
    lag_bytes: 5 * MIB,
    unprotected_bytes: 3 * MIB,
    failed_bytes: 3,
    rate_out: 11,
    hour: { bytes_sent: 660, bytes_in: 60 },
    workers: [{ id: "w1", host: "host-w1", state: "ok" }],
    disk: { free_bytes: 5 },
  });
  expect(a?.watches).toMatchObject([
    {
      watch: "cam",
      live: 1,
      failed: 1,
      unprotected_bytes: 2 * MIB,
      rate_out: 10,
      oldest: { at: NOW - 30_000 },
    },
    { watch: "mic", live: 1, failed: 0, unprotected_bytes: MIB, rate_out: 1 },
  ]);
});

it("a source is judged by its own workers: one that has none is not covered by another's", () => {
  const found = sources(
    [row("1", { source: "lost", file_size: 9, bytes_sent: 0 }), row("2", { file_size: 1, bytes_sent: 0 })],
    [worker("w1", "a", ["cam"])],
  );
  expect(found.map(({ source, risk }) => [source, risk.noWorker])).toEqual([
    ["lost", true],
    ["a", false],
  ]);
  expect(found[0]?.watches.map(({ watch }) => watch)).toEqual(["cam"]);
});

it("the minutes of a source and of a watch are what they counted, and no other's", () => {
  const day = [
    minute(
      0,
      { "a/cam": { bytes_sent: 5 }, "a/mic": { bytes_sent: 2 }, "ab/cam": { bytes_sent: 100 } },
      { w1: { source: "a", lag_bytes: 7 }, w2: { source: "ab", lag_bytes: 8 } },
    ),
  ];
  const [ofSource] = minutesOfSource(day, "a");
  expect(ofSource?.all.bytes_sent).toBe(7);
  expect(Object.keys(ofSource?.byWorker ?? {})).toEqual(["w1"]);
  const [ofWatch] = minutesOfWatch(day, "a", "cam");
  expect([ofWatch?.all.bytes_sent, ofWatch?.byWorker]).toEqual([5, {}]);
  expect(minutesOfWatch(day, "a", "none")[0]?.all).toEqual(NO_COUNTS);
});
