import type { WatchRecord } from "@sluice/redis-schema/records/watch";
import type { WorkerRecord } from "@sluice/redis-schema/records/worker";
import type { WorkerListing } from "@sluice/redis-schema/worker-registry";
import { describe, expect, it } from "vitest";
import type { StreamRow } from "./stream-row.ts";
import { RiskTally, verdictOf, VERDICTS, type Verdict } from "./verdict.ts";

const NOW = Date.parse("2026-11-24T10:00:00Z");
const MIB = 1024 * 1024;
const iso = (msAgo: number): string => new Date(NOW - msAgo).toISOString();

interface World {
  rows: StreamRow[];
  listings: WorkerListing[];
  watches: WatchRecord[];
  rates: { rate_in: number; rate_out: number };
  dataAgeMs?: number;
  away?: string;
}

function row(over: Partial<StreamRow> = {}): StreamRow {
  return {
    id: "s1",
    status: "processing",
    kind: "processing",
    index: "active",
    source: "cams",
    watch: "in",
    owner: "w1",
    part_plan: `stepped:${8 * MIB}`,
    next_part: 2,
    bytes_sent: 8 * MIB,
    file_size: 11 * MIB,
    last_activity_at_utc: iso(2_000),
    ...over,
  };
}

function worker(id = "w1", over: Partial<WorkerRecord> = {}, ageMs = 1_000): WorkerListing {
  const value = { host: "cam-host-2", source: "cams", watches: ["in"], state: "ok", ...over } as WorkerRecord;
  return { id, lastSeenAt: NOW - ageMs, ageMs, lease: { kind: "ok", value } };
}

function gone(id = "w1", source = "cams", agoMs = 600_000): WorkerListing {
  const last = { host: "cam-host-2", source, watches: ["in"], state: "ok" } as WorkerRecord;
  return { id, lastSeenAt: NOW - agoMs, lease: { kind: "gone", last } };
}

const OFFLINE: WatchRecord = {
  source: "cams",
  name: "in",
  root: "/rec",
  state: "offline",
  state_detail: "/rec is not there",
  since_utc: iso(120_000),
};

const calm = (): World => ({
  rows: [row()],
  listings: [worker("w1", { oldest_unshipped_at_utc: iso(41_000), oldest_unshipped_age: "exact" })],
  watches: [{ ...OFFLINE, state: "ok" }],
  rates: { rate_in: 4 * MIB, rate_out: 4 * MIB },
});

const behind = (over: Partial<World> = {}): World => ({
  ...calm(),
  rows: [row({ file_size: 1_010 * MIB })],
  listings: [
    worker("w1", {
      oldest_unshipped_at_utc: iso(300_000),
      oldest_unshipped_age: "at_least",
      behind_since_utc: iso(290_000),
    }),
  ],
  ...over,
});

function judge({ rows, listings, watches, rates, ...time }: World): Verdict {
  const tally = new RiskTally({ listings, nowMs: NOW, stallAfterMs: 120_000 });
  for (const one of rows) tally.add(one);
  return verdictOf(tally.risk(watches, rates), { nowMs: NOW, ...time });
}

const FAILED = row({
  id: "f",
  status: "failed_verify_mismatch",
  kind: "failed",
  index: "failed",
  owner: undefined,
});

describe("the verdict", () => {
  it.each<[string, World, Verdict["state"], string]>([
    [
      "only a tail is on disk alone",
      calm(),
      "safe",
      "Every full part of 1 live stream is in S3 or on its way; 3.0 MiB are not protected, the oldest for 41 s.",
    ],
    [
      "everything is in S3",
      { ...calm(), rows: [row({ file_size: 8 * MIB })] },
      "safe",
      "Every byte of 1 live stream is in S3.",
    ],
    ["nothing is live", { ...calm(), rows: [] }, "safe", "No file is being written; every stream has ended."],
    [
      "a slow uplink falls behind at 1,002 MiB",
      behind({ rates: { rate_in: 4 * MIB, rate_out: MIB } }),
      "falling_behind",
      "1002 MiB are not in S3, and a full part has waited for 4 min 50 s.",
    ],
    [
      "more goes up than is written",
      behind({ rates: { rate_in: MIB, rate_out: 4 * MIB } }),
      "catching_up",
      "1002 MiB are not in S3, and a full part has waited for 4 min 50 s; at this rate all of it is in S3 in about 5 min 34 s.",
    ],
    [
      "as much goes up as is written",
      behind(),
      "falling_behind",
      "1002 MiB are not in S3, and a full part has waited for 4 min 50 s.",
    ],
    [
      "a full part waits for no longer than one takes",
      { ...calm(), listings: [worker("w1", { behind_since_utc: iso(20_000) })] },
      "safe",
      "Every full part of 1 live stream is in S3 or on its way; 3.0 MiB are not protected.",
    ],
    [
      "the only worker is blocked",
      {
        ...calm(),
        listings: [
          worker("cam-host-2-9464", {
            state: "blocked",
            state_detail: "store answers 500",
            state_since_utc: iso(300_000),
          }),
        ],
      },
      "stopped",
      "The worker is blocked: cam-host-2-9464, store answers 500 for 5 min.",
    ],
    [
      "one worker of four is blocked",
      {
        ...calm(),
        listings: [
          worker(),
          worker("w2"),
          worker("w3"),
          worker("w4", {
            state: "blocked",
            state_detail: "store answers 500",
            state_since_utc: iso(300_000),
          }),
        ],
      },
      "stopped",
      "1 of 4 workers is blocked: w4 on cam-host-2, store answers 500 for 5 min.",
    ],
    [
      "a watch is offline",
      { ...calm(), watches: [OFFLINE] },
      "stopped",
      "Watch in is offline for 2 min, 1 stream waits: /rec is not there.",
    ],
    [
      "a stream has failed, whose bytes count",
      { ...calm(), rows: [row(), FAILED] },
      "stopped",
      "1 stream has failed, 3.0 MiB not in S3.",
    ],
    [
      "a stream is stalled",
      { ...calm(), rows: [row({ file_size: 30 * MIB, last_activity_at_utc: iso(130_000) })] },
      "stopped",
      "1 stream is stalled, 22.0 MiB not in S3.",
    ],
    [
      "what another generation replaced is no risk",
      { ...calm(), rows: [row(), { ...FAILED, superseded_by: "s1" }] },
      "safe",
      "",
    ],
    [
      "what a person aborted is none",
      { ...calm(), rows: [row(), { ...FAILED, status: "failed_aborted_by_operator" }] },
      "safe",
      "",
    ],
    ["Redis is away", { ...calm(), away: "Redis is not reachable." }, "unknown", "Redis is not reachable."],
    [
      "what is shown is 11 s old",
      { ...calm(), dataAgeMs: 11_000 },
      "unknown",
      "What is shown here is 11 s old.",
    ],
    [
      "no worker was ever there",
      { ...calm(), rows: [], listings: [] },
      "unknown",
      "No worker is running: new files are not noticed.",
    ],
    [
      "the only worker was killed",
      { ...calm(), listings: [gone()] },
      "unknown",
      "No worker runs on source cams for 10 min: its files may grow unnoticed, and 1 live stream waits.",
    ],
    [
      "the worker of one source was killed, that of another lives",
      { ...calm(), listings: [gone(), worker("w2", { source: "audio" })] },
      "unknown",
      "No worker runs on source cams for 10 min: its files may grow unnoticed, and 1 live stream waits.",
    ],
    [
      "a worker says nothing",
      { ...calm(), listings: [worker("w1", {}, 11_000)] },
      "unknown",
      "A worker has not reported for 11 s.",
    ],
    [
      "another worker of the source is about to take up what one left",
      { ...calm(), listings: [gone("w1", "cams", 20_000), worker("w2")] },
      "safe",
      "",
    ],
    [
      "another worker of the source has not taken it up in time",
      { ...calm(), listings: [gone("w1", "cams", 60_000), worker("w2")] },
      "stopped",
      "1 stream has no worker, 3.0 MiB not in S3.",
    ],
  ])("%s", (_, world, state, because) => {
    const verdict = judge(world);
    expect(verdict).toMatchObject({ state, ...(because === "" ? {} : { because }) });
  });

  it("the oldest byte of a dead worker's stream is as old as the record says, and may be older", () => {
    const listings = [
      gone(),
      worker("w2", { oldest_unshipped_at_utc: iso(5_000), oldest_unshipped_age: "exact" }),
    ];
    const tally = new RiskTally({ listings, nowMs: NOW, stallAfterMs: 120_000 });
    tally.add(row({ unprotected_since_utc: iso(700_000) }));
    expect(tally.risk([], calm().rates).oldest).toEqual({ at: NOW - 700_000, least: true });
  });

  it("is never better for an offline watch, a dead worker or data that grows old", () => {
    const worlds = [
      calm(),
      behind(),
      behind({ rates: { rate_in: 0, rate_out: MIB } }),
      { ...calm(), rows: [row(), FAILED] },
      { ...calm(), listings: [worker(), worker("w2", { source: "audio", state: "blocked" })] },
    ];
    const worse: ((world: World) => World)[] = [
      (world) => ({ ...world, watches: [OFFLINE] }),
      (world) => ({ ...world, listings: [gone(), ...world.listings.slice(1)] }),
      (world) => ({ ...world, listings: [worker("w1", {}, 12_000), ...world.listings.slice(1)] }),
      (world) => ({ ...world, dataAgeMs: 12_000 }),
      (world) => ({ ...world, away: "Redis is not reachable." }),
    ];
    const rank = (world: World): number => VERDICTS.indexOf(judge(world).state);
    for (const world of worlds)
      for (const one of worse) {
        expect(rank(one(world))).toBeGreaterThanOrEqual(rank(world));
        for (const two of worse) expect(rank(two(one(world)))).toBeGreaterThanOrEqual(rank(one(world)));
      }
  });
});
