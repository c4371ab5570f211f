/** `sluice`: every command but `worker`, which main.ts adds. A wrong command line is a usage error, never a stack. */
import { writeSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { visibleLines } from "@sluice/control/visible-text";
import { VERSION } from "../version.ts";
import { addAbort } from "./commands/abort.ts";
import { addAdopt } from "./commands/adopt.ts";
import { addCompletion } from "./commands/completion.ts";
import { addConfig } from "./commands/config.ts";
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
import { addVerify } from "./commands/verify.ts";
import { EXAMPLES } from "./examples.ts";
import { EXIT } from "./exit-codes.ts";

export function buildCli(): Command {
  const program = new Command("sluice")
    .description("Gets files that are still being written safely into S3.")
    .version(VERSION)
    .exitOverride()
    // What was typed is repeated in its messages.
    .configureOutput({ writeErr: (text) => void process.stderr.write(visibleLines(text)) })
    .showHelpAfterError("(--help shows what there is)");
  addLs(program);
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

/** Parses the command line and runs what it says; sets the exit code. */
export async function runCli(program: Command, argv: readonly string[] = process.argv): Promise<void> {
  addExamples(program);
  process.stdout.on("error", onUnwritable);
  process.stderr.on("error", onUnwritable);
  try {
    await program.parseAsync(argv);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Commander has printed its message; asking for help or the version is no error.
    process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  }
}

/**
 * A reader that has seen enough (`| head`) is no error, and whatever the command would still say has no reader. Anything
 * else, such as a full disk, means that the answer is incomplete.
 */
function onUnwritable(error: NodeJS.ErrnoException): void {
  if (error.code === "EPIPE") process.exit();
  try {
    writeSync(2, `the output cannot be written: ${error.message}\n`);
  } catch {
    // Standard error is as full: the exit code is all that can be said.
  }
  process.exit(EXIT.unwritable);
}
