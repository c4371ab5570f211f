/** RELIABILITY.md: what was run, what it came to, what is still short of its bar. Numbers, no adjectives. */
import { SCENARIOS } from "../scenarios/all.ts";
import { sumOf, type Log, type ScenarioSum } from "./figures.ts";

interface Bar {
  scenario: string;
  what: string;
  /** A figure, or `passed` for rounds. */
  figure: string;
  atLeast: number;
}

const BARS: readonly Bar[] = [
  { scenario: "crash-points", what: "crash points × deaths", figure: "passed", atLeast: 93 },
  { scenario: "random-kills", what: "random SIGKILLs", figure: "kills", atLeast: 500 },
  { scenario: "redis-amnesia", what: "FLUSHALL + kill", figure: "flushes", atLeast: 50 },
  { scenario: "kept-files", what: "kept files, 0 data requests", figure: "files", atLeast: 1_000 },
  { scenario: "lost-completes", what: "false Complete replies", figure: "falseReplies", atLeast: 600 },
  { scenario: "foreign-objects", what: "foreign objects", figure: "foreignObjects", atLeast: 200 },
  { scenario: "freeze", what: "freezes past the lease", figure: "freezes", atLeast: 100 },
  { scenario: "recorders", what: "recorder formats", figure: "formats", atLeast: 13 },
];

export function reliabilityPage(logs: readonly Log[]): string {
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
    "The largest single run of each scenario counts.",
    "",
    table(
      ["scenario", "bar", "reached", "", "run"],
      BARS.map((bar) => barRow(bar, logs)),
    ),
    "",
    ...logs.toReversed().flatMap(runSection),
  ]
    .join("\n")
    .trimEnd()}\n`;
}

function barRow(bar: Bar, logs: readonly Log[]): string[] {
  const reached = logs.map((log) => {
    const sum = sumOf(log.rounds.filter(({ scenario }) => scenario === bar.scenario));
    return { file: log.file, value: bar.figure === "passed" ? sum.passed : (sum.figures[bar.figure] ?? 0) };
  });
  const best = reached.toSorted((a, b) => b.value - a.value)[0];
  const value = best?.value ?? 0;
  return [
    bar.scenario,
    `${count(bar.atLeast)} ${bar.what}`,
    count(value),
    value >= bar.atLeast ? "met" : "**short**",
    value > 0 && best ? `\`${best.file}\`` : "none",
  ];
}

function runSection({ file, run, rounds }: Log): string[] {
  const sums = SCENARIOS.map(({ name }) => name)
    .map((name) => ({ name, of: rounds.filter(({ scenario }) => scenario === name) }))
    .filter(({ of }) => of.length > 0)
    .map(({ name, of }) => ({ name, sum: sumOf(of) }));
  const failed = sums.flatMap(({ name, sum }) => sum.failed.map((round) => ({ name, round })));
  return [
    `## ${run.startedAt.slice(0, 19).replace("T", " ")} UTC, seed ${run.seed}`,
    "",
    `Commit \`${run.git.slice(0, 12)}\`${run.dirty ? " with changes not committed" : ""}, Node ${run.node}, ${run.cpus} cores, log \`${file}\`.`,
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
