/** What was tried and what came of it, as the run itself says it: SECURITY.md's table is made from these lines. */
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";

interface Figure {
  tried: string;
  result: string;
}

/** The file that a run collects them in. */
export const FIGURES_FILE = "HOSTILE_FIGURES";

export function figure(tried: string, result: string): void {
  console.log(`${tried}: ${result}`);
  const file = process.env[FIGURES_FILE];
  if (file !== undefined) appendFileSync(file, `${JSON.stringify({ tried, result } satisfies Figure)}\n`);
}

const [BEGIN, END] = ["<!-- figures: npm run test:hostile -- --write -->", "<!-- end of figures -->"];

export function writeFigures(from: string, into: string): void {
  const lines = readFileSync(from, "utf8").trim().split("\n");
  const figures = lines
    .map((line) => JSON.parse(line) as Figure)
    .toSorted((a, b) => a.tried.localeCompare(b.tried));
  const rows = figures.map(({ tried, result }) => `| ${tried} | ${result} |`);
  const text = readFileSync(into, "utf8");
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`${into} has no place for the figures`);
  const table = [BEGIN, "", "| tried | result |", "| --- | --- |", ...rows, "", ""].join("\n");
  writeFileSync(into, text.slice(0, begin) + table + text.slice(end));
}
