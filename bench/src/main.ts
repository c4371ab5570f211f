/**
 * `npm run bench`: every benchmark side by side with its peers, the raw figures into bench/results/, and from them
 * docs/internals/performance.md with its pictures. `--report-only` writes the page again from the latest raw results; `--rounds=N`
 * asks for fewer rounds than the full run's, `--black-hole=N` for a shorter one, in seconds. `--only=oneFile,growth` prints
 * the figures of these suites and leaves results and page as they are.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { FULL, SUITE_NAMES, measure } from "./measure.ts";
import { findPeers } from "./peers/peers.ts";
import { writeReport } from "./report/page.ts";
import type { RawResults } from "./report/raw-results.ts";

const RESULTS = join(import.meta.dirname, "../results");

const { values } = parseArgs({
  options: {
    "report-only": { type: "boolean", default: false },
    rounds: { type: "string", default: String(FULL.rounds) },
    only: { type: "string" },
    "black-hole": { type: "string", default: String(FULL.blackHoleSeconds) },
  },
});

const say = (text: string): void => console.log(text);

if (values.only !== undefined) {
  await show(values.only.split(","));
} else {
  if (!values["report-only"]) await run();
  writeReport(latest());
}

async function show(only: readonly string[]): Promise<void> {
  const unknown = only.find((name) => !SUITE_NAMES.includes(name));
  if (unknown !== undefined) throw new Error(`no suite ${unknown}; there are: ${SUITE_NAMES.join(", ")}`);
  const { rounds } = await measure({ ...planned(), peers: findPeers() }, say, [...only]);
  for (const [row, figures] of Object.entries(rounds))
    say(`${row}: ${figures.map((value) => Number(value.toPrecision(3))).join(", ")}`);
}

function planned(): typeof FULL {
  const rounds = Number(values.rounds);
  if (!(rounds >= 1)) throw new Error("--rounds is a whole number from 1");
  return { ...FULL, rounds, blackHoleSeconds: Number(values["black-hole"]) };
}

async function run(): Promise<void> {
  const peers = findPeers();
  const plan = planned();
  const measured = await measure({ ...plan, peers }, say);
  const at_utc = new Date().toISOString();
  const results: RawResults = {
    at_utc,
    machine: {
      cpu: cpus()[0]?.model.trim() ?? "unknown",
      cores: cpus().length,
      memory_gib: Math.round(totalmem() / 1024 ** 3),
      kernel: release(),
      node: process.version,
    },
    plan,
    peers: peers.map(({ name, version, settings }) => ({ name, version, settings })),
    ...measured,
  };
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(
    join(RESULTS, `${at_utc.slice(0, 19).replaceAll(":", "-")}.json`),
    `${JSON.stringify(results, null, 2)}\n`,
  );
}

function latest(): RawResults {
  const name = readdirSync(RESULTS)
    .filter((file) => file.endsWith(".json"))
    .sort()
    .at(-1);
  if (name === undefined) throw new Error("there are no raw results yet: run npm run bench");
  return JSON.parse(readFileSync(join(RESULTS, name), "utf8")) as RawResults;
}
