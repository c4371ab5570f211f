/** What Stryker found, file by file: of the changes that tests could have noticed, how many they did, and which not. */

/** Of Stryker's report, what the page needs. */
export interface Report {
  date: string;
  commit: string;
  files: Readonly<Record<string, FileResult>>;
}

interface FileResult {
  killed: number;
  timeout: number;
  survivors: readonly Survivor[];
}

interface Survivor {
  line: number;
  /** NoCoverage: no test reaches it. */
  status: "Survived" | "NoCoverage";
  mutation: string;
  from: string;
  to: string;
}

/** Stryker's own report: https://github.com/stryker-mutator/mutation-testing-elements, schema 2. */
export interface StrykerReport {
  files: Readonly<Record<string, { source: string; mutants: readonly StrykerMutant[] }>>;
}

interface StrykerMutant {
  status: string;
  mutatorName: string;
  replacement?: string;
  location: { start: Place; end: Place };
}

/** Both counted from 1. */
interface Place {
  line: number;
  column: number;
}

/** What cannot run at all says nothing, and is left out. */
export function trimReport({ files }: StrykerReport): Report["files"] {
  const results = Object.entries(files).map(
    ([file, { source, mutants }]) => [file, ofFile(source, mutants)] as const,
  );
  return Object.fromEntries(
    results.filter(([, result]) => changes(result) > 0).toSorted(([a], [b]) => a.localeCompare(b)),
  );
}

function ofFile(source: string, mutants: readonly StrykerMutant[]): FileResult {
  const survivors = mutants.flatMap(({ status, mutatorName, replacement = "", location }) =>
    status === "Survived" || status === "NoCoverage"
      ? [
          {
            line: location.start.line,
            status: status as Survivor["status"],
            mutation: mutatorName,
            from: shortened(cut(source, location)),
            to: shortened(replacement),
          },
        ]
      : [],
  );
  return {
    killed: mutants.filter(({ status }) => status === "Killed").length,
    timeout: mutants.filter(({ status }) => status === "Timeout").length,
    survivors: survivors.toSorted((a, b) => a.line - b.line),
  };
}

function cut(source: string, { start, end }: StrykerMutant["location"]): string {
  const lines = source.split("\n").slice(start.line - 1, end.line);
  const last = lines.length - 1;
  return lines
    .map((line, at) => line.slice(at === 0 ? start.column - 1 : 0, at === last ? end.column - 1 : undefined))
    .join("\n");
}

const SHOWN_CHARACTERS = 80;

function shortened(code: string): string {
  const line = code.replaceAll(/\s+/g, " ").trim();
  return line.length > SHOWN_CHARACTERS ? `${line.slice(0, SHOWN_CHARACTERS - 1)}…` : line;
}

export function scorePage({ date, commit, files }: Report): string {
  const results = Object.values(files);
  return `${[
    "# Mutation score of packages/core",
    "",
    "Written by `npm run mutation` (Stryker) from `tests/mutants/mutation.json`: changes made to the code one at a time, and",
    "whether a unit test of `packages/core` turned red. Only the files in the table have been through it. What acts on stores",
    "and files step by step is held by crash points, by [mutants of the promises](mutants.md) and by chaos",
    "([RELIABILITY.md](../../RELIABILITY.md)). Changes to what runs only when a module is loaded (tables, limits) are left out.",
    "",
    `Run on ${date} at commit ${commit}. A change after which the tests hang (timeout) is noticed; one that no test reaches is`,
    "not.",
    "",
    "| file | changes | killed | timeout | survived | no coverage | score |",
    "| --- | --- | --- | --- | --- | --- | --- |",
    ...Object.entries(files).map(([file, result]) => row(`\`${file}\``, [result])),
    row("**all**", results),
    "",
    "## What survived",
    "",
    ...Object.entries(files).flatMap(([file, { survivors }]) => listed(file, survivors)),
  ]
    .join("\n")
    .trimEnd()}\n`;
}

function row(name: string, results: readonly FileResult[]): string {
  const sum = (count: (result: FileResult) => number): number =>
    results.reduce((all, one) => all + count(one), 0);
  const killed = sum((one) => one.killed);
  const timeout = sum((one) => one.timeout);
  const survived = sum((one) => having(one, "Survived"));
  const noCoverage = sum((one) => having(one, "NoCoverage"));
  const all = killed + timeout + survived + noCoverage;
  const score = `${((100 * (killed + timeout)) / all).toFixed(1)} %`;
  return `| ${[name, all, killed, timeout, survived, noCoverage, score].join(" | ")} |`;
}

function listed(file: string, survivors: readonly Survivor[]): string[] {
  if (survivors.length === 0) return [];
  return [
    `### \`${file}\``,
    "",
    "| line | mutation | of | to |",
    "| --- | --- | --- | --- |",
    ...survivors.map(({ line, mutation, status, from, to }) => {
      const kind = status === "NoCoverage" ? `${mutation}, no coverage` : mutation;
      return `| ${line} | ${kind} | ${asCode(from)} | ${asCode(to)} |`;
    }),
    "",
  ];
}

/** In backticks that the code does not hold; a bar would end the cell. */
function asCode(code: string): string {
  if (code === "") return "nothing";
  const fence = code.includes("`") ? "``" : "`";
  const pad = fence === "``" ? " " : "";
  return `${fence}${pad}${code.replaceAll("|", String.raw`\|`)}${pad}${fence}`;
}

function changes(result: FileResult): number {
  return result.killed + result.timeout + result.survivors.length;
}

function having({ survivors }: FileResult, status: Survivor["status"]): number {
  return survivors.filter((one) => one.status === status).length;
}
