/**
 * `sluice`: every command except `worker`, which main.ts adds. A wrong command line is a usage error and never prints a
 * stack.
 */
import { writeSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { visibleLines } from "@sluice/control/visible-text";
import { VERSION } from "../version.ts";
import { addAbort } from "./commands/abort.ts";
import { addAdopt } from "./commands/adopt.ts";
import { addCompletion } from "./commands/completion.ts";
import { addConfig } from "./commands/config.ts";
import { addDashboard } from "./commands/dashboard.ts";
import { addDoctor } from "./commands/doctor.ts";
import { addExport } from "./commands/export.ts";
import { addFinalize } from "./commands/finalize.ts";
import { addHealthcheck } from "./commands/healthcheck.ts";
import { addLs } from "./commands/ls.ts";
import { addOrphans } from "./commands/orphans.ts";
import { addParts } from "./commands/parts.ts";
import { addPurge } from "./commands/purge.ts";
import { addRetry } from "./commands/retry.ts";
import { addSalvage } from "./commands/salvage.ts";
import { addShow } from "./commands/show.ts";
import { addTop } from "./commands/top.ts";
import { addVerify } from "./commands/verify.ts";
import { EXAMPLES } from "./examples.ts";
import { EXIT } from "./exit-codes.ts";

export function buildCli(): Command {
  const program = new Command("sluice")
    .description("Uploads files to S3 while they are still being written.")
    .version(VERSION)
    .exitOverride()
    // Messages repeat what the user typed, so control characters are made visible.
    .configureOutput({ writeErr: (text) => void process.stderr.write(visibleLines(text)) })
    .showHelpAfterError("(see --help)");
  addLs(program);
  addTop(program);
  addShow(program);
  addParts(program);
  addRetry(program);
  addSalvage(program);
  addFinalize(program);
  addAbort(program);
  addPurge(program);
  addOrphans(program);
  addVerify(program);
  addExport(program);
  addAdopt(program);
  addDashboard(program);
  addDoctor(program);
  addConfig(program);
  addHealthcheck(program);
  addCompletion(program);
  return program;
}

function addExamples(program: Command, parent = ""): void {
  for (const command of program.commands) {
    const name = `${parent}${command.name()}`;
    const examples = EXAMPLES[name];
    if (examples)
      command.addHelpText("after", `\nExamples:\n${examples.map((line) => `  ${line}`).join("\n")}`);
    addExamples(command, `${name} `);
  }
}

/** Parses the command line, runs the command and sets the exit code. */
export async function runCli(program: Command, argv: readonly string[] = process.argv): Promise<void> {
  addExamples(program);
  process.stdout.on("error", onUnwritable);
  process.stderr.on("error", onUnwritable);
  try {
    await program.parseAsync(argv);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Commander has printed its message; --help and --version are no errors.
    process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  }
}

/**
 * A reader that closes the pipe early (`| head`) is no error; the rest of the output is dropped. Any other error, such
 * as a full disk, means that the answer is incomplete.
 */
function onUnwritable(error: NodeJS.ErrnoException): void {
  if (error.code === "EPIPE") process.exit();
  try {
    writeSync(2, `the output cannot be written: ${error.message}\n`);
  } catch {
    // Standard error cannot be written either: only the exit code is left.
  }
  process.exit(EXIT.unwritable);
}
