import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { buildCli } from "./cli.ts";
import { EXAMPLES } from "./examples.ts";
import { CLI_PAGE, cliPage, leaves } from "./reference-page.ts";
import { addWorkerCommand } from "./worker-command.ts";

const program = buildCli();
addWorkerCommand(program);
const commands = leaves(program);

describe("docs/reference/cli.md", () => {
  it("is what the commands say (pnpm --filter @sluice/worker run docs:cli)", () => {
    expect(readFileSync(CLI_PAGE, "utf8")).toBe(cliPage());
  });

  it("has a section for every command, with an example that calls it", () => {
    for (const [name] of commands) {
      expect(cliPage()).toContain(`\n## sluice ${name}\n`);
      expect(EXAMPLES[name]?.every((line) => line.includes(`sluice ${name}`))).toBe(true);
    }
    expect(Object.keys(EXAMPLES).toSorted()).toEqual(commands.map(([name]) => name).toSorted());
  });

  it("has no example with an option that does not exist", () => {
    for (const [name, command] of commands) {
      const known = command.options.map(({ long }) => long);
      for (const line of EXAMPLES[name] ?? []) {
        for (const [option] of line.matchAll(/--[a-z][a-z0-9-]*/g)) expect(known).toContain(option);
      }
    }
  });
});

describe("every command", () => {
  it.each(commands)("%s is described, and each of its options too", (_, command) => {
    expect(command.description()).not.toBe("");
    for (const { description } of command.options) expect(description).not.toBe("");
  });

  // Those are read by machines as they are.
  const others = ["worker", "dashboard", "export", "completion"];
  it.each(commands.filter(([name]) => !others.includes(name)))("%s answers in JSON", (_, command) => {
    expect(command.options.map(({ long }) => long)).toContain("--json");
  });
});
