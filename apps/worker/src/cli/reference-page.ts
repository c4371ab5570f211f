/** `docs/reference/cli.md`, made from the commands' definitions, so that the page and `--help` cannot differ. */
import { join } from "node:path";
import { flagDefinitions } from "@sluice/config";
import type { Argument, Command, Option } from "commander";
import { buildCli } from "./cli.ts";
import { EXAMPLES } from "./examples.ts";
import { EXIT, EXIT_MEANINGS } from "./exit-codes.ts";
import { addWorkerCommand } from "./worker-command.ts";

export const CLI_PAGE = join(import.meta.dirname, "../../../../docs/reference/cli.md");

const SETTING_FLAGS: ReadonlySet<string> = new Set(flagDefinitions().map(({ flags }) => flags));

export function cliPage(): string {
  const program = buildCli();
  addWorkerCommand(program);
  const commands = leaves(program);
  return `${[
    INTRODUCTION,
    table(
      ["command", ""],
      commands.map(([name, command]) => [link(name), command.summary() || command.description()]),
    ),
    "## Exit codes",
    table(["code", "meaning"], exitRows()),
    ANSWERS,
    ...commands.map(([name, command]) => section(name, command)),
  ].join("\n\n")}\n`;
}

/** Every command that does something, by its full name: `orphans ls`. */
export function leaves(program: Command, parent = ""): [name: string, command: Command][] {
  return program.commands.flatMap((command): [string, Command][] => {
    const name = `${parent}${command.name()}`;
    return command.commands.length > 0 ? leaves(command, `${name} `) : [[name, command]];
  });
}

function section(name: string, command: Command): string {
  const options = command.options.filter(({ flags }) => !SETTING_FLAGS.has(flags));
  const takesSettings = options.length < command.options.length;
  const rows = [...command.registeredArguments.map(argumentRow), ...options.map(optionRow)];
  return [
    `## sluice ${name}`,
    sentence(command.description()),
    ["```sh", `sluice ${name} ${command.usage()}`, ...(EXAMPLES[name] ?? []), "```"].join("\n"),
    ...(rows.length > 0 ? [table(["", "meaning"], rows)] : []),
    ...(takesSettings
      ? ["Every setting of [the configuration](configuration.md) is also a flag, except the secrets."]
      : []),
  ].join("\n\n");
}

function argumentRow(argument: Argument): [string, string] {
  const name = `${argument.name()}${argument.variadic ? "…" : ""}`;
  return [`\`${argument.required ? `<${name}>` : `[${name}]`}\``, withChoices(argument)];
}

function optionRow(option: Option): [string, string] {
  const { defaultValue, defaultValueDescription: said = String(defaultValue) } = option;
  const fallback = defaultValue === undefined ? "" : ` Default: \`${said}\`.`;
  return [`\`${option.flags}\``, `${withChoices(option)}${fallback}`];
}

function withChoices({
  description,
  argChoices,
}: {
  description: string;
  argChoices?: string[] | undefined;
}): string {
  const choices = argChoices?.map((choice) => `\`${choice}\``).join(", ");
  return `${sentence(description)}${choices === undefined ? "" : ` One of ${choices}.`}`;
}

function exitRows(): [string, string][] {
  return Object.entries(EXIT).map(([name, code]) => [String(code), EXIT_MEANINGS[name as keyof typeof EXIT]]);
}

function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(titles), `|${titles.map(() => "---|").join("")}`, ...rows.map(line)].join("\n");
}

function link(name: string): string {
  return `[\`${name}\`](#sluice-${name.replaceAll(" ", "-")})`;
}

function sentence(text: string): string {
  const whole = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?)]$/.test(whole) ? whole : `${whole}.`;
}

const INTRODUCTION = `# The command line

This page is made from the commands' own definitions (\`pnpm --filter @sluice/worker run docs:cli\`); do not edit it.

From a clone: \`npm run -s sluice -- <command>\`; in the container: \`sluice <command>\`. Every command finds Redis like the
worker does: \`SLUICE_REDIS_URL\` and \`SLUICE_KEY_PREFIX\`, or \`sluice.yaml\`.`;

const ANSWERS = `## Answers

The answer is on standard output, everything else (plans, questions, progress, warnings) on standard error. With \`--json\`
the answer is one JSON document whose field names are those of [the Redis keys](redis-keys.md); lists are arrays. Sizes in
tables are IEC (1 MiB = 1,048,576 bytes); JSON has bytes and ISO times. Colour appears only on a terminal, and not with
\`NO_COLOR\`. Control characters in names are shown as marks, never sent to the terminal.

Streams are named by id, or by the beginning of one where it fits only one stream.

## Plans

\`retry\`, \`finalize\`, \`abort\`, \`purge\`, \`orphans clean\` and \`adopt\` first make a plan: exact ids, counts, bytes, and what
would be lost. It is printed and then carried out exactly; items that changed meanwhile are left alone and reported.

- If something would be lost or sent twice, the command asks for a confirmation; \`--yes\` gives it beforehand.
- From 50 items on, or where open uploads would be lost, their number must be typed; \`--yes --count 412\` says it
  beforehand, and a wrong number does nothing.
- \`--plan\` only keeps the plan for 15 minutes and prints its token; \`--execute <token>\` carries it out. The dashboard's
  plans are the same: each can carry out what the other planned. A second run with the same token repeats nothing: it resumes
  where it was interrupted and reports the result.

Every action is in the audit log: who (the system's user at this host), what, which ids, \`--because\`, and the result.
Actions that need a file or the bucket are requested from the workers; \`purge\` needs none. A request that no worker answers in time stays
filed for a day.`;
