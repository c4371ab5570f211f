/**
 * A short selection of the benchmarks for every change: fails when a bar is missed by half. No peers but the bare loops;
 * wall times, rates and the CPU of a small file are left to the full run, since a busy machine stretches them, and so is
 * the memory of a black hole, which a short one cannot distinguish from normal fluctuations of the heap.
 */
import { judge } from "./bars.ts";
import { measure } from "./measure.ts";

const SLACK = 1.5;
const LEFT_TO_THE_FULL_RUN =
  /wall|Last byte|first new part|event loop|memory gained|goes on after|CPU a file/;

const results = await measure(
  {
    rounds: 3,
    bigBytes: 1024 ** 3 + 1_234_567,
    smallFiles: 500,
    restartStreams: 1_000,
    growingFiles: 500,
    growingSeconds: 10,
    writers: [],
    writesCurve: [],
    visibleBytes: 64 * 1024 ** 2,
    blackHoleSeconds: 20,
    dashboardStreams: 0,
    curve: [],
    partsCurve: [],
    peers: [],
  },
  (text) => console.log(text),
);
// Seconds, where the others are ratios: a shared machine only adds to them, so the quickest round is what the code needs.
const seconds = "sluice seal cpu per GiB";
const rounds = { ...results.rounds, [seconds]: [Math.min(...(results.rounds[seconds] ?? []))] };
let failed = 0;
const judged = judge(rounds, SLACK).filter(({ name }) => !LEFT_TO_THE_FULL_RUN.test(name));
for (const { name, value, limit, unit, met } of judged) {
  if (!met) failed += 1;
  console.log(
    `${met ? "ok    " : "FAILED"} ${name}: ${value.toPrecision(3)} ${unit} (bar ${limit}, fails at ${limit * SLACK})`,
  );
}
console.log(`${judged.length - failed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
