import { expect, it } from "vitest";
import { sumsOf, type SimulatedRun } from "./simulated.ts";

const run = (over: Partial<SimulatedRun>): SimulatedRun => ({
  startedAt: "2026-11-30T00:00:00.000Z",
  git: "g",
  dirty: false,
  product: "p",
  node: "v24",
  cpus: 2,
  from: 100,
  histories: 50,
  failed: [],
  simulatedHours: 1,
  cpuSeconds: 10,
  ...over,
});

it("runs of the same code are added up, a seed counts once, and the latest code comes first", () => {
  const sums = sumsOf([
    run({ failed: [101] }),
    run({ from: 140, failed: [141, 160] }),
    run({ product: "q" }),
    run({ product: "q", dirty: true }),
  ]);
  expect(sums.map(({ product, histories, failed }) => [product, histories, failed])).toEqual([
    ["q+", 50, 0],
    ["q", 50, 0],
    ["p", 90, 2],
  ]);
});
