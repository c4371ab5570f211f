/**
 * `npm run bench`: every benchmark side by side with its peers, the raw figures into bench/results/, and from them
 * docs/performance.md with its pictures. `--report-only` writes the page anew from the latest raw results; `--rounds=N`
 * asks for fewer rounds than the full run's, `--black-hole=N` for a shorter one, in seconds.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { FULL, measure } from "./measure.ts";
import { findPeers } from "./peers/peers.ts";
import { writeReport } from "./report/page.ts";
import type { RawResults } from "./report/raw-results.ts";

const RESULTS = join(import.meta.dirname, "../results");

const { values } = parseArgs({
  options: {
    "report-only": { type: "boolean", default: false },
    rounds: { type: "string", default: String(FULL.rounds) },
    "black-hole": { type: "string", default: String(FULL.blackHoleSeconds) },
  },
});

if (!values["report-only"]) await run(Number(values.rounds), Number(values["black-hole"]));
writeReport(latest());

async function run(rounds: number, blackHoleSeconds: number): Promise<void> {
  if (!(rounds >= 1)) throw new Error("--rounds is a whole number from 1");
  const peers = findPeers();
  const plan = { ...FULL, rounds, blackHoleSeconds };
  const measured = await measure({ ...plan, peers }, (text) => console.log(text));
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
