/** What Stryker found, file by file: of the changes that tests could have noticed, how many they did. */

interface Report {
  files: Readonly<Record<string, { mutants: readonly { status: string }[] }>>;
}

export interface Score {
  file: string;
  noticed: number;
  unnoticed: number;
}

/** A change that hangs is noticed; one that no test reaches is not. What cannot run at all says nothing. */
const NOTICED = new Set(["Killed", "Timeout"]);
const UNNOTICED = new Set(["Survived", "NoCoverage"]);

export function readScores(report: Report): Score[] {
  return Object.entries(report.files)
    .map(([file, { mutants }]) => ({
      file,
      noticed: mutants.filter(({ status }) => NOTICED.has(status)).length,
      unnoticed: mutants.filter(({ status }) => UNNOTICED.has(status)).length,
    }))
    .filter(({ noticed, unnoticed }) => noticed + unnoticed > 0)
    .toSorted((a, b) => a.file.localeCompare(b.file));
}

export function scorePage(scores: readonly Score[]): string {
  const total = scores.reduce(
    (sum, { noticed, unnoticed }) => ({
      file: "all",
      noticed: sum.noticed + noticed,
      unnoticed: sum.unnoticed + unnoticed,
    }),
    { file: "all", noticed: 0, unnoticed: 0 },
  );
  return `${[
    "# Mutation score of packages/core",
    "",
    "Written by `npm run mutation` (Stryker): changes made to the code one at a time, and whether a unit test in the same",
    "directory turned red. The files are those that decide; what acts on stores and files is held by crash points, mutants of",
    "the promises and chaos. Changes to what runs only when a module is loaded (tables, limits) are left out.",
    "",
    "| file | changes | noticed | score |",
    "| --- | --- | --- | --- |",
    ...[...scores, total].map(row),
  ].join("\n")}\n`;
}

function row({ file, noticed, unnoticed }: Score): string {
  const all = noticed + unnoticed;
  return `| ${file === "all" ? "**all**" : `\`${file}\``} | ${all} | ${noticed} | ${((100 * noticed) / all).toFixed(1)} % |`;
}
