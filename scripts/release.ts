/**
 * `npm run release -- <version|major|minor|patch> [--dry-run] [--registry <name>]`: versions, changelog, commit, tag and
 * images. It pushes nothing: the commands for that are printed at the end.
 */
import { execFileSync } from "node:child_process";
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { planRelease, type SourceText } from "./release/release-plan.ts";

const EXIT_USAGE = 64;
const EXIT_REFUSED = 1;
const USAGE =
  "usage: npm run release -- <version|major|minor|patch> [--dry-run] [--registry <name>] [--engine docker]";
const VERSIONED = [
  "package.json",
  "{apps,packages,tests}/*/package.json",
  "bench/package.json",
  "deploy/helm/*/Chart.yaml",
];

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
    // A dry run also answers in the middle of a change.
    uncommitted: isDry ? "" : git("status", "--porcelain"),
    changelog: read("CHANGELOG.md"),
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
  for (const { path, text } of plan.edits) {
    if (!isDry) writeFileSync(join(root, path), text);
    console.log(`${isDry ? "would write" : "written"} ${path}`);
  }
  for (const [program = "", ...args] of plan.commands) {
    console.log(`${isDry ? "would run" : "running"} ${[program, ...args].join(" ").split("\n")[0]}`);
    if (!isDry) execFileSync(program, args, { cwd: root, stdio: "inherit" });
  }
  console.log(`\nWhen you have looked at the result:\n  ${plan.afterwards.join("\n  ")}`);
  return 0;
}

function read(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

function git(...args: string[]): string {
  return execFileSync("git", args, { cwd: root, encoding: "utf8" }).trim();
}

process.exitCode = main();
