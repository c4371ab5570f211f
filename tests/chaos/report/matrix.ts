/** docs/internals/reliability-matrix.md: each number of the hazard catalogue with the tests whose titles carry it. */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { CRASH_POINTS } from "../../../packages/core/src/testing/crash-points.ts";
import { SCENARIOS } from "../scenarios/all.ts";
import { DECLINED } from "./declined.ts";

const FAMILIES: Readonly<Record<string, string>> = {
  P: "Promises",
  S: "S3",
  K: "SDK",
  F: "Files",
  R: "Redis",
  C: "Crashes",
  X: "Security",
  D: "Found on public reports of other tools, foreign stores and in review",
};

const PATTERNS = [
  "{apps,packages}/*/{src,test}/**/*.test.{ts,tsx}",
  "{scripts,tests}/**/*.{test,spec}.ts",
  "tests/compose/*-claims.ts",
];
const TITLE = /(?:\b(?:it|test|describe|holds)(?:\.\w+)*|\))\(\s*(["'`])((?:\\.|(?!\1).)*)\1/gs;
/** In the D family the letter is part of the number; elsewhere it names a variant of one row. */
const NUMBER = /\b([PSKFRCX]\d{1,2}|D\d[a-k])[a-c]?\b/g;

interface Proof {
  where: string;
  title: string;
}

export function catalogueOf(root: string): Record<string, string> {
  const text = readFileSync(join(root, "tests/chaos/report/catalogue.json"), "utf8");
  return JSON.parse(text) as Record<string, string>;
}

export function matrixPage(root: string): string {
  const catalogue = catalogueOf(root);
  const proofs = collect(root);
  const numbers = Object.keys(catalogue);
  const covered = numbers.filter((number) => proofs.has(number));
  const declined = numbers.filter((number) => number in DECLINED && !proofs.has(number));
  return `${[
    "# Reliability matrix",
    "",
    "Written by `pnpm run docs:matrix` and `npm run chaos -- --report` from the titles of the tests: a title that begins",
    "with numbers of the catalogue, or holds them in brackets, is a proof of those rows. What cannot be tried here stands in",
    "`tests/chaos/report/declined.ts`, each with its reason.",
    "",
    `${covered.length} of ${numbers.length} rows are named by a test; ${declined.length} declined.`,
    ...Object.entries(FAMILIES).flatMap(([letter, name]) => [
      "",
      `## ${name}`,
      "",
      "| # | hazard | tests |",
      "| --- | --- | --- |",
      ...numbers
        .filter((number) => number.startsWith(letter))
        .map(
          (number) =>
            `| ${number} | ${cell(catalogue[number] ?? "")} | ${cells(number, proofs.get(number))} |`,
        ),
    ]),
  ].join("\n")}\n`;
}

export function collect(root: string): Map<string, Proof[]> {
  const proofs = new Map<string, Proof[]>();
  const add = (number: string, proof: Proof): void => {
    proofs.set(number, [...(proofs.get(number) ?? []), proof]);
  };
  const files = globSync(PATTERNS, {
    cwd: root,
    exclude: (path) => /(^|\/)(node_modules|\.next)(\/|$)/.test(path),
  });
  for (const path of files.toSorted()) {
    for (const [, , title = ""] of readFileSync(join(root, path), "utf8").matchAll(TITLE)) {
      for (const number of numbersOf(title)) add(number, { where: path, title });
    }
  }
  for (const { id, gap } of CRASH_POINTS) {
    add(id.replace(/[a-z]$/, ""), { where: "tests/chaos/scenarios/crash-points.ts", title: `${id} ${gap}` });
  }
  for (const { name, claim } of SCENARIOS) {
    for (const number of numbersOf(claim))
      add(number, { where: `npm run chaos -- --only ${name}`, title: claim });
  }
  return proofs;
}

/** "S3" at the start of a sentence is the store, not a row: it counts in brackets only. */
export function numbersOf(title: string): Set<string> {
  const leading = /^(?:(?:[PSKFRCX]\d{1,2}[a-c]?|D\d[a-k])(?:[,:]? |$))*/.exec(title)?.[0] ?? "";
  const bracketed = [...title.matchAll(/\(([^)]*)\)/g)].map(([, inside = ""]) => inside);
  const found = (text: string): string[] => [...text.matchAll(NUMBER)].map(([, number = ""]) => number);
  return new Set([...found(leading).filter((number) => number !== "S3"), ...bracketed.flatMap(found)]);
}

function cells(number: string, proofs: readonly Proof[] | undefined): string {
  if (proofs === undefined) return `declined: ${cell(DECLINED[number] ?? "without a reason")}`;
  return proofs.map(({ where, title }) => `${cell(title)} (\`${where}\`)`).join("<br>");
}

function cell(text: string): string {
  return text.replaceAll(/\s+/g, " ").replaceAll("|", "\\|").replaceAll("<", "&lt;");
}
