/** docs/internals/performance.md, generated only from raw results. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { judge, median } from "../bars.ts";
import { barChart } from "./bar-chart.ts";
import type { RawResults } from "./raw-results.ts";

const DOCS = join(import.meta.dirname, "../../../docs/internals");

export function writeReport(results: RawResults): void {
  mkdirSync(join(DOCS, "performance"), { recursive: true });
  writeFileSync(join(DOCS, "performance.md"), page(results));
  const names = ["bare put", "sluice job", ...results.peers.map(({ name }) => name)];
  const bars = names.flatMap((name) => {
    const rounds = results.rounds[`${name} cpu`];
    return rounds ? [{ name, value: median(rounds) }] : [];
  });
  writeFileSync(
    join(DOCS, "performance/cpu.svg"),
    barChart("CPU seconds for one file of 2 GiB, median", "s", bars),
  );
  for (const [file, title, unit, row] of CURVES) {
    const points = Object.entries(results.rounds).flatMap(([name, values]) => {
      const count = row.exec(name)?.[1];
      return count === undefined ? [] : [{ name: Number(count).toLocaleString("en"), value: median(values) }];
    });
    if (points.length > 0) writeFileSync(join(DOCS, "performance", file), barChart(title, unit, points));
  }
}

/** Picture, title, unit, and the rows whose name contains the number. */
const CURVES = [
  ["parts.svg", "CPU of the whole job a part of 8 MiB, by number of parts", "ms", /^curve: (\d+) parts/],
  ["small-files.svg", "CPU a file of 16 KiB, by number of files at once", "ms", /^curve: (\d+) small files/],
  [
    "writes.svg",
    "CPU of 500 growing files, by writes a second of each",
    "% of a core",
    /^curve: (\d+) writes/,
  ],
  ["streams.svg", "Resident memory, by number of growing files", "MiB", /^curve: (\d+) growing/],
] as const;

/** Results of the first edition do not have them. */
const WRITES = "![CPU of 500 growing files, by writes a second](performance/writes.svg)\n";

function page(results: RawResults): string {
  const { machine, plan, load, rounds, peers } = results;
  const loads = Object.entries(load).map(([suite, value]) => `${suite} ${value.toFixed(1)}`);
  return `# Performance

Written by \`npm run bench\` from the raw results of ${results.at_utc} in \`bench/results/\`.

${machine.cpu}, ${machine.cores} cores, ${machine.memory_gib} GiB, Linux ${machine.kernel}, Node ${machine.node}. Load average at
the beginning of each suite: ${loads.join(", ")}. Above the number of cores the machine was shared with other work: wall
times and rates then say little, CPU seconds and ratios more.

## Bars

${table(
  ["bar", "median", "bar at", "met"],
  judge(rounds).map((bar) => [
    bar.name,
    `${figure(bar.value)} ${bar.unit}`,
    `${bar.least ? "≥" : "≤"} ${bar.limit}`,
    bar.met ? "yes" : "**no**",
  ]),
)}

![CPU seconds for one file of 2 GiB](performance/cpu.svg)

What was tried to get here, and what did not help: [performance-notes.md](performance-notes.md).

## Cost over numbers

![CPU of the whole job a part, by number of parts](performance/parts.svg)
![CPU a small file, by number of files](performance/small-files.svg)
![Resident memory, by number of growing files](performance/streams.svg)
${"curve: 1 writes a second, % of a core" in rounds ? WRITES : ""}
## Peers

One file of ${plan.bigBytes.toLocaleString("en")} bytes, rounds: ${plan.rounds}, taking turns, against an endpoint that discards bodies.

${table(
  ["peer", "version", "settings"],
  peers.map(({ name, version, settings }) => [name, version, settings]),
)}

## Every row

${table(
  ["row", "median", "rounds"],
  Object.entries(rounds).map(([row, values]) => [row, figure(median(values)), values.map(figure).join(", ")]),
)}

CPU is user and system time in seconds; a peer's is that of its whole process tree from start to end, Sluice's that of a
running worker over the work named, the bare loops' that of the loop. The endpoint's own CPU is listed next to them.
`;
}

function figure(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString("en");
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => "---"), ...rows];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
