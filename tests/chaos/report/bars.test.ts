import { describe, expect, it } from "vitest";
import type { RoundLine } from "../raw-log.ts";
import { reach, type Bar } from "./bars.ts";
import type { Log } from "./figures.ts";

const KILLS: Bar = {
  scenario: "random-kills",
  store: "local-s3",
  what: "kills",
  figure: "kills",
  atLeast: 500,
  counts: "each seed",
};

function round(name: string, kills: number, ok = true): RoundLine {
  return {
    type: "round",
    scenario: "random-kills",
    round: name,
    ok,
    ms: 1,
    problems: ok ? [] : ["lost a byte"],
    figures: { kills },
  };
}

function log(run: Partial<Log["run"]>, ...rounds: RoundLine[]): Log {
  return {
    file: "a.ndjson",
    run: {
      type: "run",
      git: "a".repeat(40),
      dirty: false,
      product: "p1",
      startedAt: "2026-01-01T00:00:00.000Z",
      node: "v24",
      cpus: 2,
      seed: 1,
      store: "local-s3",
      kills: 100,
      long: true,
      ...run,
    },
    rounds,
  };
}

describe("what the runs reached", () => {
  it("adds up runs of one product and different seeds", () => {
    const logs = [log({ seed: 1 }, round("1", 100)), log({ seed: 2 }, round("1", 100))];
    expect(reach(KILLS, logs)).toMatchObject({ value: 200, failed: 0, product: "p1" });
  });

  it("never adds runs of different products, nor the same seed twice", () => {
    const logs = [
      log({ seed: 1 }, round("1", 100)),
      log({ seed: 1 }, round("1", 100)),
      log({ seed: 2, product: "p2" }, round("1", 80)),
      log({ seed: 3, store: "ceph-rgw" }, round("1", 900)),
    ];
    expect(reach(KILLS, logs)).toMatchObject({ value: 100, product: "p1" });
  });

  it("counts a failed round for nothing, tells of it, and does not let a repetition hide it", () => {
    const logs = [log({}, round("1", 100, false), round("2", 20)), log({}, round("1", 100))];
    expect(reach(KILLS, logs)).toMatchObject({ value: 20, failed: 1 });
  });

  it("counts a crash point once, whatever the seed, and the largest round where only one round proves the claim", () => {
    const logs = [log({ seed: 1 }, round("1", 60)), log({ seed: 2 }, round("1", 60), round("2", 30))];
    expect(reach({ ...KILLS, figure: "passed", counts: "once" }, logs).value).toBe(2);
    expect(reach({ ...KILLS, counts: "in one round" }, logs).value).toBe(60);
  });
});
