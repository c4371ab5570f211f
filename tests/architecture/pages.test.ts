/** Pages lead somewhere: each relative link has its file and heading, each command that a page names can be typed. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { buildCli } from "../../apps/worker/src/cli/cli.ts";
import { addWorkerCommand } from "../../apps/worker/src/cli/worker-command.ts";
import { KEPT } from "../../packages/redis-schema/src/kept.ts";
import { headingId } from "../../scripts/site/text.ts";
import { filesMatching, type SourceFile } from "./sources.ts";

const ROOT = join(import.meta.dirname, "../..");
const pages = filesMatching("*.md", "{docs,deploy,bench,packages,apps,tests,examples}/**/*.md");

const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
  scripts: Record<string, string>;
};
const program = buildCli();
addWorkerCommand(program);
const commands = new Set([...program.commands.map((command) => command.name()), "help"]);

/** Fenced blocks and code spans hold no links. */
function withoutCode(text: string): string {
  return text.replaceAll(/^```[^]*?^```/gm, "").replaceAll(/`[^`\n]*`/g, "");
}

function deadLinks({ path, text }: SourceFile): string[] {
  return [...withoutCode(text).matchAll(/\]\(([^()\s]+)\)/g)]
    .map(([, target = ""]) => target)
    .filter((target) => !/^[a-z]+:/.test(target))
    .filter((target) => !leadsSomewhere(path, target))
    .map((target) => `${path}: ${target}`);
}

function leadsSomewhere(page: string, target: string): boolean {
  const [file = "", heading] = decodeURI(target).split("#");
  const absolute = file === "" ? join(ROOT, page) : join(ROOT, dirname(page), file);
  if (!existsSync(absolute)) return false;
  return heading === undefined || !file.endsWith(".md") || headingsOf(absolute).has(heading);
}

function headingsOf(file: string): Set<string> {
  const titles = [...readFileSync(file, "utf8").matchAll(/^#+ (.+)$/gm)].map(([, title = ""]) => title);
  return new Set(titles.map(headingId));
}

/** Of what stands in a code span or at the beginning of a line of a fenced block. */
function unknownCommands({ path, text }: SourceFile): string[] {
  const named = [...text.matchAll(/(?:^|`|\$ |&& )(?:npm run -s sluice -- |sluice )([a-z][a-z-]*)/gm)]
    .map(([, command = ""]) => command)
    .filter((command) => !commands.has(command))
    .map((command) => `${path}: sluice ${command}`);
  const run = [...text.matchAll(/\b(?:npm|pnpm) run (?:-s )?([a-z][a-z:-]*)/g)]
    .map(([, script = ""]) => script)
    .filter((script) => !(script in scripts))
    .map((script) => `${path}: npm run ${script}`);
  return [...named, ...run];
}

describe("a page", () => {
  it("links only to files and headings that are there", () => {
    expect(pages.flatMap(deadLinks)).toEqual([]);
  });

  it("names only commands and scripts that are there", () => {
    expect(pages.flatMap(unknownCommands)).toEqual([]);
  });

  it("that did not would be noticed", () => {
    const text =
      "[a](gone.md) [b](README.md#no-such) [c](https://x) `[d](e.md)`\n`sluice lss` then `npm run tset`\n";
    const page = { path: "x.md", text };
    expect(deadLinks(page)).toEqual(["x.md: gone.md", "x.md: README.md#no-such"]);
    expect(unknownCommands(page)).toEqual(["x.md: sluice lss", "x.md: npm run tset"]);
  });
});

it.each(["docs/guides/dashboard.md", "SECURITY.md"])("%s says for how long a plan is good", (path) => {
  const text = pages.find((page) => page.path === path)?.text.replaceAll(/\s+/g, " ");
  expect(text).toContain(`bytes, ${KEPT.planMs / 60_000} minutes to decide`);
});
