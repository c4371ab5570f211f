/** Runs of the simulator, as `npm run simulate -- --record` keeps them, added up by the code that they were runs of. */
import { readFileSync } from "node:fs";
import type { RunLine } from "../raw-log.ts";

export interface SimulatedRun extends Pick<
  RunLine,
  "startedAt" | "git" | "dirty" | "product" | "node" | "cpus"
> {
  /** Its first seed; the others follow. */
  from: number;
  histories: number;
  /** Their seeds. */
  failed: readonly number[];
  simulatedHours: number;
  cpuSeconds: number;
}

export interface SimulatedSum {
  product: string;
  runs: number;
  histories: number;
  failed: number;
  simulatedHours: number;
  cpuSeconds: number;
}

export function readSimulated(file: string): SimulatedRun[] {
  return readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as SimulatedRun);
}

/** The latest code first. Changes that were not committed count as other code; a seed counts once. */
export function sumsOf(runs: readonly SimulatedRun[]): SimulatedSum[] {
  const seeds = new Map<string, Set<number>>();
  const sums = new Map<string, SimulatedSum>();
  for (const { from, histories, failed, simulatedHours, cpuSeconds, ...run } of runs) {
    const product = run.dirty ? `${run.product}+` : run.product;
    const known = seeds.get(product) ?? new Set();
    seeds.set(product, known);
    const fresh = Array.from({ length: histories }, (_, at) => from + at).filter((seed) => !known.has(seed));
    for (const seed of fresh) known.add(seed);
    const before = sums.get(product);
    sums.set(product, {
      product,
      runs: (before?.runs ?? 0) + 1,
      histories: known.size,
      failed: (before?.failed ?? 0) + failed.filter((seed) => fresh.includes(seed)).length,
      simulatedHours: (before?.simulatedHours ?? 0) + simulatedHours,
      cpuSeconds: (before?.cpuSeconds ?? 0) + cpuSeconds,
    });
  }
  return [...sums.values()].toReversed();
}
