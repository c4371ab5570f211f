/**
 * `npm run release -- <version|major|minor|patch|rc> [--dry-run] [--registry <name>]`: versions, changelog, commit, tag and
 * images. It pushes nothing: the commands for that are printed at the end.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import {
  planRelease,
  unfinished,
  type ReleasePlan,
  type ReleaseStep,
  type SourceText,
} from "./release/release-plan.ts";

const EXIT_USAGE = 64;
const EXIT_REFUSED = 1;
const USAGE =
  "usage: npm run release -- <version|major|minor|patch|rc> [--dry-run] [--registry <name>] [--engine docker]";
const VERSIONED = [
  "package.json",
  "{apps,packages,tests}/*/package.json",
  "bench/package.json",
  "deploy/helm/*/Chart.yaml",
];

/** What a version must know to read the records of another. */
const SCHEMA: Readonly<Record<string, RegExp>> = {
  "packages/redis-schema/src/version.ts": /^export const KEYS_VERSION = (\d+);$/m,
  "packages/core/src/stream/record.ts": /^export const SCHEMA_VERSION = (\d+);$/m,
};

const root = join(import.meta.dirname, "..");

function main(): number {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      "dry-run": { type: "boolean", default: false },
      registry: { type: "string" },
      engine: { type: "string", default: "docker" },
    },
  });
  const [wanted] = positionals;
  if (wanted === undefined || positionals.length > 1) {
    console.error(USAGE);
    return EXIT_USAGE;
  }
  const isDry = values["dry-run"];
  const { version } = JSON.parse(read("package.json")) as { version: string };
  const plan = planRelease({
    wanted,
    version,
    tags: git("tag", "--list").split("\n"),
    // A dry run also works with uncommitted changes.
    uncommitted: isDry ? "" : git("status", "--porcelain"),
    changelog: read("CHANGELOG.md"),
    changesRecords: changesRecords(),
    versioned: globSync(VERSIONED, { cwd: root }).map((path): SourceText => ({ path, text: read(path) })),
    date: new Date().toISOString().slice(0, 10),
    engine: values.engine,
    registry: values.registry,
  });
  if (typeof plan === "string") {
    console.error(plan);
    return EXIT_REFUSED;
  }
  console.log(`${version} → ${plan.version}`);
  if (isDry) {
    for (const { path } of plan.edits) console.log(`would write ${path}`);
    for (const command of plan.commands) console.log(`would run ${firstLine(command)}`);
  } else {
    // What is needed at the end is checked before anything is changed.
    const failure = run([values.engine, "version"], "ignore");
    if (failure !== undefined) {
      console.error(
        `${failure}\nThe images cannot be built without it: start it, or name another with --engine. Nothing has been changed.`,
      );
      return EXIT_REFUSED;
    }
    const failed = carryOut(plan);
    if (failed) {
      console.error(`\n${failed.failure}\n\n${unfinished(plan, failed.at)}`);
      return EXIT_REFUSED;
    }
  }
  console.log(`\nWhen you have checked the result:\n  ${plan.afterwards.join("\n  ")}`);
  return 0;
}

/** Against the last tag; before the first one nothing has been released that could not read them. */
function changesRecords(): boolean {
  const last = answer("describe", "--tags", "--abbrev=0", "--match", "v[0-9]*").trim();
  if (last === "") return false;
  return Object.entries(SCHEMA).some(([path, version]) => {
    const before = version.exec(answer("show", `${last}:${path}`))?.[1];
    return before !== version.exec(read(path))?.[1];
  });
}

/** Undefined if all of it is done. */
function carryOut({ edits, commands }: ReleasePlan): { at: ReleaseStep; failure: string } | undefined {
  for (const { path, text } of edits) {
    const failure = write(path, text);
    if (failure !== undefined) return { at: "edits", failure };
    console.log(`written ${path}`);
  }
  for (const [at, command] of commands.entries()) {
    console.log(`running ${firstLine(command)}`);
    const failure = run(command, "inherit");
    if (failure !== undefined) return { at, failure };
  }
  return undefined;
}

/** Why it could not be written. */
function write(path: string, text: string): string | undefined {
  try {
    writeFileSync(join(root, path), text);
    return undefined;
  } catch (error) {
    return `${path} could not be written: ${(error as Error).message}`;
  }
}

/** Why it failed. */
function run([program = "", ...args]: readonly string[], stdio: "inherit" | "ignore"): string | undefined {
  const name = [program, args[0]].join(" ");
  const { error, status, signal } = spawnSync(program, args, { cwd: root, stdio });
  if ((error as NodeJS.ErrnoException | undefined)?.code === "ENOENT") return `${program} is not installed`;
  if (error) return `${name} could not be run: ${error.message}`;
  if (signal) return `${name} was ended by ${signal}`;
  return status === 0 ? undefined : `${name} failed with exit code ${status}`;
}

/** A tag's message has many. */
function firstLine(command: readonly string[]): string {
  return command.join(" ").split("\n")[0] ?? "";
}

function read(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

function git(...args: string[]): string {
  return execFileSync("git", args, { cwd: root, encoding: "utf8" }).trim();
}

/** Empty where git has none: no tag yet, no such file in that version. */
function answer(...args: string[]): string {
  return spawnSync("git", args, { cwd: root, encoding: "utf8" }).stdout;
}

process.exitCode = main();
