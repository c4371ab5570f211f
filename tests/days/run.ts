/**
 * `npm run test:days`: the first days of three people, played with what they would use, each step with the time it took.
 * `-- --short` ends the operator's day before the move to another host, and leaves the others out: that is what CI plays.
 * `-- --only operator` plays one. log.txt is what a whole run said last.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { bringPrograms } from "../archive/programs.ts";
import { TLS_PROGRAMS } from "../archive/tls-proxy.ts";
import { CannotContinue, Claims } from "../compose/claims.ts";
import { heedSignals, mustRun } from "../compose/run-program.ts";
import { bringGoProgram, VERSITYGW } from "../stores/programs.ts";
import { contributorDay } from "./contributor.ts";
import { evaluatorDay } from "./evaluator.ts";
import { operatorDay } from "./operator.ts";

const PROGRAMS = {
  debootstrap: "debootstrap",
  chromium: "chromium",
  ffmpeg: "ffmpeg",
  curl: "curl",
  ...TLS_PROGRAMS,
};

interface Day {
  name: string;
  who: string;
  play: (claims: Claims, isWhole: boolean) => Promise<void>;
}

const DAYS: readonly Day[] = [
  { name: "operator", who: "someone with four recorders and a bucket", play: operatorDay },
  { name: "evaluator", who: "someone who has an hour for it", play: evaluatorDay },
  { name: "contributor", who: "a developer with a small patch", play: contributorDay },
];

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { short: { type: "boolean", default: false }, only: { type: "string" } },
  });
  const isWhole = !values.short;
  const days = DAYS.filter(({ name }) => (isWhole ? name === (values.only ?? name) : name === "operator"));
  if (days.length === 0) {
    console.error(`--only ${values.only}: there is ${DAYS.map(({ name }) => name).join(", ")}`);
    return 1;
  }
  const reason = (await bringPrograms(PROGRAMS)) ?? (await bringGoProgram(VERSITYGW));
  if (reason !== undefined) {
    console.error(reason);
    console.log(`\n0 passed, ${process.env["CI"] === "true" ? 1 : 0} failed`);
    return process.env["CI"] === "true" ? 1 : 0;
  }
  heedSignals();
  const claims = new Claims();
  for (const day of days) await playDay(day, claims, isWhole);
  claims.sum();
  if (isWhole && values.only === undefined) await keepLog(claims);
  return claims.failed === 0 ? 0 : 1;
}

async function playDay({ who, play }: Day, claims: Claims, isWhole: boolean): Promise<void> {
  const from = performance.now();
  claims.say(`\nThe day of ${who}`);
  try {
    await play(claims, isWhole);
  } catch (error) {
    if (!(error instanceof CannotContinue)) throw error;
    console.error(error.message);
  }
  claims.say(`it took ${Math.round((performance.now() - from) / 1_000)} s`);
}

async function keepLog(claims: Claims): Promise<void> {
  const commit = (
    await mustRun(["git", "rev-parse", "--short", "HEAD"], { cwd: import.meta.dirname })
  ).trim();
  const heading = `npm run test:days, ${new Date().toISOString()}, commit ${commit}, Node ${process.version}`;
  writeFileSync(join(import.meta.dirname, "log.txt"), `${heading}\n${claims.lines.join("\n")}\n`);
}

process.exitCode = await main();
