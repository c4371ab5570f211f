/** `sluice worker`: every setting is also a flag. Ends the process, since the worker is the process. */
import { flagDefinitions, type Flags } from "@sluice/config";
import type { Command } from "commander";

export function addWorkerCommand(program: Command): void {
  const command = program
    .command("worker")
    .description("watch directories and upload their files as they grow");
  for (const { flags, about } of flagDefinitions()) command.option(flags, about);
  command.action(async (flags: Flags) => {
    try {
      // Loaded only here: no other command waits for the S3 client to be read from disk.
      const { runWorker } = await import("../start/run-worker.ts");
      process.exitCode = await runWorker(flags);
    } catch (error) {
      process.exitCode = exitCodeOf(error);
      process.stderr.write(
        `${error instanceof Error && hasExitCode(error) ? error.message : describe(error)}\n`,
      );
    }
    // Whatever still holds the event loop (a socket in a black hole) must not hold the exit.
    process.exit();
  });
}

function hasExitCode(error: Error): error is Error & { exitCode: number } {
  return "exitCode" in error && typeof error.exitCode === "number";
}

function exitCodeOf(error: unknown): number {
  return error instanceof Error && hasExitCode(error) ? error.exitCode : 1;
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
