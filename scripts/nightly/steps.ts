/** Steps that take too long to run for every change: each is one npm command, run one after the other. */
import { add, countLine, NOTHING, type Count } from "../test/count.ts";

export interface Step {
  readonly name: string;
  /** Arguments of npm. */
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly withinMinutes: number;
}

/** Number of new histories of the random model. */
const NEW_HISTORIES = "5000";
const KILLS = "200";
/** Of new seeds of the simulated world; its suite plays the same ones each time. */
const SIMULATED_MINUTES = "45";

/** @param seed of the chaos runs: a new one each night, printed, so that a failed round can be played again */
export function nightlySteps(seed: string): readonly Step[] {
  const kills = ["--only", "crash-points,random-kills", "--kills", KILLS, "--seed", seed, "--record"];
  const chaos = (store: string): readonly string[] => [
    "run",
    "-s",
    "chaos",
    "--",
    "--store",
    store,
    ...kills,
  ];
  return [
    {
      name: "model",
      argv: ["run", "-s", "unit", "--", "packages/core/src/steps/model.test.ts"],
      env: { MODEL_RUNS: NEW_HISTORIES },
      withinMinutes: 15,
    },
    {
      name: "simulation",
      // Room for ten thousand seeds a night, none of which another night plays.
      argv: [
        "run",
        "-s",
        "simulate",
        "--",
        "--from",
        `${seed}0000`,
        "--minutes",
        SIMULATED_MINUTES,
        "--shrink",
        "--record",
      ],
      // Shrinking what was found takes a while.
      withinMinutes: 75,
    },
    { name: "kills on local-s3", argv: chaos("local-s3"), withinMinutes: 60 },
    { name: "kills on Ceph RGW", argv: chaos("ceph-rgw"), withinMinutes: 60 },
    {
      name: "hostile",
      argv: ["run", "-s", "test:hostile"],
      env: { HOSTILE_SEED: seed, HOSTILE_SHARE: "0.3", HOSTILE_RUNS: "3000", HOSTILE_RECORDS: "5000" },
      withinMinutes: 60,
    },
    { name: "rules", argv: ["run", "-s", "test:rules"], withinMinutes: 15 },
    { name: "stores", argv: ["run", "-s", "test:stores", "--", "--all"], withinMinutes: 120 },
    { name: "days", argv: ["run", "-s", "test:days"], withinMinutes: 60 },
    { name: "compose", argv: ["run", "-s", "test:compose", "--", "--faults"], withinMinutes: 60 },
  ];
}

/** @param only names, separated by commas. Undefined when there is no step of one of these names. */
export function selectSteps(all: readonly Step[], only: string | undefined): readonly Step[] | undefined {
  if (only === undefined) return all;
  const names = only.split(",");
  const chosen = all.filter(({ name }) => names.includes(name));
  return chosen.length === names.length ? chosen : undefined;
}

export interface Result {
  readonly name: string;
  readonly count: Count;
  readonly seconds: number;
}

export function resultLine({ name, count, seconds }: Result): string {
  return `${name}: ${countLine(count)} in ${seconds} s`;
}

/** Undefined when all were run. */
export function notRunLine(all: readonly Step[], results: readonly Result[]): string | undefined {
  const names = all.map(({ name }) => name).filter((name) => !results.some((result) => result.name === name));
  return names.length === 0 ? undefined : `not run: ${names.join(", ")}`;
}

/** The record of a night. Its last line counts only what was run, so the line above it names what was not. */
export function nightRecord(head: string, all: readonly Step[], results: readonly Result[]): string {
  const total = results.map(({ count }) => count).reduce(add, NOTHING);
  const lines = [
    head,
    ...results.flatMap((result) => [resultLine(result), ...result.count.remarks]),
    notRunLine(all, results),
    countLine(total),
  ];
  return `${lines.filter((line) => line !== undefined).join("\n")}\n`;
}
