import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";
import { buildCli } from "./cli.ts";
import { completionScript } from "./completion.ts";

/** What bash offers at the end of this command line. */
function offered(line: string): string[] {
  const words = line.split(" ");
  const script = `${completionScript(buildCli(), "bash")}
COMP_WORDS=(${words.map((word) => `"${word}"`).join(" ")})
COMP_CWORD=${words.length - 1}
_sluice
printf '%s\\n' "\${COMPREPLY[@]}"`;
  return execFileSync("bash", ["-c", script], { encoding: "utf8" }).split("\n").filter(Boolean);
}

it.each([
  ["sluice pu", ["purge"]],
  ["sluice fin", ["finalize"]],
  ["sluice orphans cl", ["clean"]],
  ["sluice ls fail", ["failed"]],
  ["sluice ls --old", ["--older-than"]],
  ["sluice ls failed --reason file_m", ["file_missing_on_resume", "file_missing"]],
  ["sluice orphans clean --js", ["--json"]],
  ["sluice nonsense", []],
])("bash completes %j", (line, expected) => {
  expect(offered(line).toSorted()).toEqual(expected.toSorted());
});

it("every command is offered", () => {
  const names = buildCli().commands.map((command) => command.name());
  expect(offered("sluice ")).toEqual(expect.arrayContaining(names));
});

it("zsh reads bash's; fish has a line for each word and option, quoted", () => {
  const program = buildCli();
  expect(completionScript(program, "zsh")).toMatch(/^autoload -U \+X bashcompinit/);
  const lines = completionScript(program, "fish").trimEnd().split("\n");
  expect(lines.filter((line) => !/^complete -c sluice -n '.+' (?:-a|-l) /.test(line))).toEqual([]);
  expect(lines.join("\n")).toContain("-a 'orphans' -d ");
});
