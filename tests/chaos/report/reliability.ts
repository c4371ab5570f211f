/** RELIABILITY.md: what was run, what it came to, what is still short of its bar. Numbers, no adjectives. */
import { SCENARIOS } from "../scenarios/all.ts";
import { BARS, reach, type Bar } from "./bars.ts";
import { sumOf, type Log, type ScenarioSum } from "./figures.ts";
import { sumsOf, type SimulatedRun, type SimulatedSum } from "./simulated.ts";

/** Histories of new seeds, on one and the same code. */
const SIMULATED_BAR = 250_000;

export function reliabilityPage(logs: readonly Log[], simulated: readonly SimulatedRun[]): string {
  return `${[
    "# Reliability",
    "",
    "Written by `npm run chaos -- --report` from the raw logs in `tests/chaos/logs/`, one line a round. An auditor that shares",
    "no code with the product judged each round: it hashed the files, got the objects with its own client, read Redis with",
    "`redis-cli` and counted the requests at a proxy. A part acknowledged twice with the same body is a fault unless the first",
    "acknowledgement came after the ListParts that preceded the second request. A failed round counts for nothing below.",
    "",
    "## Against the bar",
    "",
    "Runs are added up only where every file of the product was the same (`product` names those files' content; commits that",
    "differ elsewhere share it), and of such a group the one that reached most is shown. A round of one seed counts once;",
    "crash points count once whatever the seed.",
    "",
    table(
      ["scenario", "store", "bar", "reached", "failed rounds", "", "product", "runs"],
      BARS.map((bar) => barRow(bar, logs)),
    ),
    "",
    "## The simulated world",
    "",
    "Histories of the [simulated world](docs/internals/simulation.md), each made from a seed, by `npm run simulate -- --record`. One that",
    "failed is a fault of the product, or of the world or its judge. A row for each state of the product, the latest first.",
    "",
    table(
      ["product", "bar", "histories", "failed", "", "simulated hours", "CPU time", "runs"],
      sumsOf(simulated).map(simulatedRow),
    ),
    "",
    ...logs.toReversed().flatMap(runSection),
  ]
    .join("\n")
    .trimEnd()}\n`;
}

function barRow(bar: Bar, logs: readonly Log[]): string[] {
  const { value, failed, product, logs: counted } = reach(bar, logs);
  return [
    bar.scenario,
    bar.store,
    `${count(bar.atLeast)} ${bar.what}`,
    count(value),
    count(failed),
    value >= bar.atLeast && failed === 0 ? "met" : "**short**",
    product === "" ? "" : `\`${product}\``,
    counted.length === 0 ? "none" : counted.map(({ run }) => `seed ${run.seed}`).join(", "),
  ];
}

function simulatedRow({
  product,
  histories,
  failed,
  simulatedHours,
  cpuSeconds,
  runs,
}: SimulatedSum): string[] {
  return [
    `\`${product}\``,
    `${count(SIMULATED_BAR)} histories`,
    count(histories),
    count(failed),
    histories >= SIMULATED_BAR && failed === 0 ? "met" : "**short**",
    count(simulatedHours),
    `${count(Math.round(cpuSeconds / 60))} min`,
    count(runs),
  ];
}

function runSection({ file, run, rounds }: Log): string[] {
  const sums = SCENARIOS.map(({ name }) => name)
    .map((name) => ({ name, of: rounds.filter(({ scenario }) => scenario === name) }))
    .filter(({ of }) => of.length > 0)
    .map(({ name, of }) => ({ name, sum: sumOf(of) }));
  const failed = sums.flatMap(({ name, sum }) => sum.failed.map((round) => ({ name, round })));
  return [
    `## ${run.startedAt.slice(0, 19).replace("T", " ")} UTC, ${run.store}, seed ${run.seed}`,
    "",
    `Commit \`${run.git.slice(0, 12)}\`${run.dirty ? " with changes not committed" : ""}, product \`${run.product}\`, Node ${run.node}, ${run.cpus} cores, log \`${file}\`.`,
    "",
    table(
      [
        "scenario",
        "passed",
        "failed",
        "kills",
        "files",
        "object bytes",
        "parts",
        "sent again, rightly",
        "rounds' time",
      ],
      sums.map(({ name, sum }) => sumRow(name, sum)),
    ),
    "",
    ...(failed.length === 0
      ? []
      : [
          "Failed:",
          "",
          ...failed.map(
            ({ name, round }) =>
              `- ${name}, ${round.round}: ${(round.problems[0] ?? "").split("\n")[0]?.slice(0, 200)}`,
          ),
          "",
        ]),
  ];
}

function sumRow(name: string, { passed, failed, ms, figures }: ScenarioSum): string[] {
  const of = (figure: string): string => count(figures[figure] ?? 0);
  return [
    name,
    count(passed),
    count(failed.length),
    of("kills"),
    of("files"),
    of("bytes"),
    of("acknowledgedParts"),
    `${of("excusedAgainBytes")} B`,
    `${count(Math.round(ms / 1000))} s`,
  ];
}

function count(value: number): string {
  return value.toLocaleString("en-US");
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}
