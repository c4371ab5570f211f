import { describe, expect, test } from "vitest";
import { NO_COUNTS, type WorkerMinute } from "@sluice/redis-schema/records/stats";
import { lagOfSources, OTHER_SOURCES } from "../../overview/chart.ts";
import { chartOf } from "./throughput.ts";

const MINUTE = 60_000;

/** One entry a minute: what each worker reported in it. */
function chart(
  workers: Record<string, WorkerMinute>[],
  more: { lagNow?: Record<string, number>; minutes?: number } = {},
) {
  const minutes = workers.map((byWorker, at) => ({
    startsAt: at * MINUTE,
    all: { ...NO_COUNTS },
    byWorker,
    byWatch: {},
  }));
  return chartOf(minutes, {
    now: workers.length * MINUTE,
    minutes: more.minutes ?? workers.length,
    listings: [],
    lagNow: more.lagNow ?? {},
  });
}

const lags = ({ points }: ReturnType<typeof chart>) => points.map(({ lag }) => lag);

describe("the lag of the chart", () => {
  test("is by source, whichever of its workers reports", () => {
    const { sources, points } = chart([
      {
        w1: { lag_bytes: 5, source: "a" },
        w2: { lag_bytes: 7, source: "a" },
        w3: { lag_bytes: 1, source: "b" },
      },
    ]);
    expect([sources, points[0]?.lag]).toEqual([
      ["a", "b"],
      [12, 1],
    ]);
  });

  test("of a dead worker stays, and its silence is marked until somebody reports from there again", () => {
    const dead = chart([
      { w1: { lag_bytes: 9, source: "a" } },
      {},
      {},
      { w2: { lag_bytes: 4, source: "a" } },
    ]);
    expect(lags(dead)).toEqual([[9], [9], [9], [4]]);
    expect(dead.marks).toEqual([{ kind: "silent", subject: "a", at: MINUTE, until: 3 * MINUTE }]);
    expect(chart([{ w1: { lag_bytes: 9, source: "a" } }, {}]).marks).toEqual([
      { kind: "silent", subject: "a", at: MINUTE },
    ]);
  });

  test("of a source from which nobody has reported for longer than a day is what its streams show", () => {
    expect(lags(chart([{}, {}], { lagNow: { gone: 3 } }))).toEqual([[3], [3]]);
  });

  test("stays also where the last report is older than the range that is shown", () => {
    expect(lags(chart([{ w1: { lag_bytes: 9, source: "a" } }, {}, {}], { minutes: 1 }))).toEqual([[9]]);
  });

  test("of a source that had everything in S3 when its worker ended is no outage", () => {
    expect(chart([{ w1: { lag_bytes: 0, source: "a" } }, {}]).marks).toEqual([]);
  });

  test("of more sources than can be told apart is added up for the rest, and nothing is left out", () => {
    const many = Object.fromEntries(
      Array.from({ length: 8 }, (_, at) => [`w${at}`, { lag_bytes: 10 - at, source: `s${at}` }]),
    );
    const { sources, points } = chart([many]);
    expect(sources).toEqual(["s0", "s1", "s2", "s3", OTHER_SOURCES]);
    expect(points[0]?.lag).toEqual([10, 9, 8, 7, 6 + 5 + 4 + 3]);
    expect(lagOfSources(sources, { s0: 1, new: 2, s7: 3 })).toEqual([1, 0, 0, 0, 5]);
  });
});

describe("the marks of the chart", () => {
  test("say when a worker started, once for each start", () => {
    const run = (started_at: number): WorkerMinute => ({ lag_bytes: 0, source: "a", started_at });
    const { marks } = chart([{ w1: run(10) }, { w1: run(10) }, { w1: run(MINUTE * 2 + 5) }]);
    expect(marks).toEqual([
      { kind: "started", subject: "w1", at: MINUTE * 2 + 5 },
      { kind: "started", subject: "w1", at: 10 },
    ]);
  });

  test("say while a worker was blocked", () => {
    const blocked: WorkerMinute = { lag_bytes: 1, source: "a", blocked: 1 };
    const { marks } = chart([{ w1: blocked }, { w1: blocked }, { w1: { lag_bytes: 1, source: "a" } }]);
    expect(marks).toEqual([{ kind: "blocked", subject: "w1", at: 0, until: 2 * MINUTE }]);
  });

  test("are those of the range that is shown", () => {
    const { marks } = chart([{ w1: { lag_bytes: 0, source: "a", started_at: 10 } }, {}, {}], { minutes: 1 });
    expect(marks).toEqual([]);
  });
});
