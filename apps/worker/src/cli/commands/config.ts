/** `sluice config`: prints and validates the configuration. */
import {
  ConfigProblems,
  loadConfig,
  printConfig,
  readConfig,
  systemInputs,
  type ConfigProblem,
  type Flags,
  type Role,
} from "@sluice/config";
import { Option, type Command } from "commander";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { addJson, addSettingFlags } from "../options.ts";
import { perform, type Run } from "../perform.ts";

const PROGRAMS = ["worker", "dashboard", "all"] as const;

type ConfigFlags = Flags & { json?: true; for?: (typeof PROGRAMS)[number] };

export function addConfig(program: Command): void {
  const config = program
    .command("config")
    .summary("print or check the configuration")
    .description("The configuration that flags, environment, files and defaults add up to.");
  addSettingFlags(addJson(config.command("print")))
    .summary("print the configuration")
    .description("Print every setting with its value and where it came from; secrets are not shown.")
    .action(async (flags: ConfigFlags) => {
      await perform({ ...(flags.json && { json: true }) }, (run) => print(run, flags));
    });
  addSettingFlags(addJson(config.command("validate")))
    .summary("check the configuration")
    .description(
      "Check the configuration as at start, and list every problem. Nothing is started. Without --for it is checked for the worker, and for the dashboard too if any dashboard setting is set.",
    )
    .addOption(new Option("--for <program>", "the program to check it for").choices(PROGRAMS))
    .action(async (flags: ConfigFlags) => {
      await perform({ ...(flags.json && { json: true }) }, (run) => validate(run, flags));
    });
}

/** What a program cannot do without need not be there to be printed; what is wrong is marked, and ends with 78. */
async function print({ out }: Run, flags: Flags): Promise<ExitCode> {
  const read = readConfig(systemInputs([], flags));
  const { problems, warnings } = read;
  const text = printConfig(read, { json: out.json });
  if (out.json) out.document({ ...(JSON.parse(text) as object), ...(problems.length > 0 && { problems }) });
  else for (const line of text.split("\n")) out.line(line);
  for (const warning of warnings) out.note(warning);
  for (const problem of problems) out.note(problem.text);
  return problems.length === 0 ? EXIT.ok : EXIT.config;
}

async function validate({ out }: Run, flags: ConfigFlags): Promise<ExitCode> {
  const roles = rolesFor(flags);
  const found = check(roles, flags);
  if (out.json) out.document({ valid: found.problems.length === 0, ...found });
  else {
    for (const { text } of found.problems) out.line({ text: "error", style: "red" }, "  ", text);
    for (const text of found.warnings) out.line({ text: "warning", style: "yellow" }, "  ", text);
    if (found.problems.length === 0) out.line(`The configuration is valid for ${roles.join(" and ")}.`);
  }
  return found.problems.length === 0 ? EXIT.ok : EXIT.config;
}

function rolesFor(flags: ConfigFlags): Role[] {
  if (flags.for === "worker" || flags.for === "dashboard") return [flags.for];
  if (flags.for === "all" || givesDashboard(flags)) return ["worker", "dashboard"];
  return ["worker"];
}

/** True even if a dashboard setting has a wrong value: the check then reports it. */
function givesDashboard(flags: ConfigFlags): boolean {
  try {
    const { sources } = loadConfig(systemInputs([], flags));
    return Object.entries(sources).some(
      ([key, { kind }]) =>
        key.startsWith("web") && !key.startsWith("webhook") && kind !== "default" && kind !== "computed",
    );
  } catch (error) {
    if (!(error instanceof ConfigProblems)) throw error;
    return true;
  }
}

function check(
  roles: Role[],
  flags: Flags,
): { problems: readonly ConfigProblem[]; warnings: readonly string[] } {
  try {
    return { problems: [], warnings: loadConfig(systemInputs(roles, flags)).warnings };
  } catch (error) {
    if (!(error instanceof ConfigProblems)) throw error;
    return { problems: error.problems, warnings: [] };
  }
}
