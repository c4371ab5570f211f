/** What must have been reached, and what was: rounds are added up only over runs of the very same product code. */
import type { RoundLine } from "../raw-log.ts";
import type { StoreName } from "../rig/rig.ts";
import { sumOf, type Log } from "./figures.ts";

export interface Bar {
  scenario: string;
  store: StoreName;
  what: string;
  /** A figure, or `passed` for rounds. */
  figure: string;
  atLeast: number;
  /**
   * `each seed`: a round counts once for every seed, since chance made it another one. `once`: the same round of two runs
   * is one. `in one round`: only the largest round counts.
   */
  counts: "each seed" | "once" | "in one round";
}

export interface Reached {
  value: number;
  failed: number;
  product: string;
  logs: readonly Log[];
}

export const BARS: readonly Bar[] = [
  bar("crash-points", "local-s3", "crash points × deaths", "passed", 93, "once"),
  bar("random-kills", "local-s3", "random SIGKILLs", "kills", 500, "each seed"),
  bar("redis-amnesia", "local-s3", "FLUSHALL + kill", "flushes", 50, "each seed"),
  bar("kept-files", "local-s3", "kept files, 0 data requests", "files", 1_000, "in one round"),
  bar("lost-completes", "local-s3", "false Complete replies", "falseReplies", 600, "each seed"),
  bar("foreign-objects", "local-s3", "foreign objects", "foreignObjects", 200, "each seed"),
  bar("freeze", "local-s3", "freezes past the lease", "freezes", 100, "each seed"),
  bar("recorders", "local-s3", "recorder formats", "formats", 13, "in one round"),
  bar("crash-points", "ceph-rgw", "crash points × deaths, a sample", "passed", 31, "once"),
  bar("random-kills", "ceph-rgw", "random SIGKILLs", "kills", 500, "each seed"),
];

/** Of all groups of runs with equal product code, the one that reached most. */
export function reach(asked: Bar, logs: readonly Log[]): Reached {
  const of = logs.filter(
    ({ run, rounds }) =>
      run.store === asked.store && rounds.some(({ scenario }) => scenario === asked.scenario),
  );
  const groups = Map.groupBy(of, ({ run }) => run.product);
  return [...groups]
    .map(([product, runs]): Reached => {
      const counted = countedOnce(asked, runs);
      return {
        value: valueOf(asked, counted),
        failed: counted.filter(({ ok }) => !ok).length,
        product,
        logs: runs,
      };
    })
    .reduce((best, one) => (one.value >= best.value ? one : best), {
      value: 0,
      failed: 0,
      product: "",
      logs: [],
    });
}

function countedOnce(asked: Bar, logs: readonly Log[]): RoundLine[] {
  const rounds = new Map<string, RoundLine>();
  for (const { run, rounds: all } of logs) {
    for (const round of all.filter(({ scenario }) => scenario === asked.scenario)) {
      const name = asked.counts === "each seed" ? `${run.seed} ${round.round}` : round.round;
      // One failure is not made good by another run of the same round.
      if (rounds.get(name)?.ok !== false) rounds.set(name, round);
    }
  }
  return [...rounds.values()];
}

function valueOf({ figure, counts }: Bar, rounds: readonly RoundLine[]): number {
  const valued = (of: readonly RoundLine[]): number => {
    const { passed, figures } = sumOf(of);
    return figure === "passed" ? passed : (figures[figure] ?? 0);
  };
  return counts === "in one round" ? Math.max(0, ...rounds.map((round) => valued([round]))) : valued(rounds);
}

function bar(
  scenario: string,
  store: StoreName,
  what: string,
  figure: string,
  atLeast: number,
  counts: Bar["counts"],
): Bar {
  return { scenario, store, what, figure, atLeast, counts };
}
