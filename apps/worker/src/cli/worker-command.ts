/** `sluice worker`: every setting is also a flag. Ends the process, since the worker is the process. */
import { flushCompileCache } from "node:module";
import { setFlagsFromString } from "node:v8";
import { flagDefinitions, type Flags } from "@sluice/config";
import { visibleLines } from "@sluice/control/visible-text";
import type { Command } from "commander";

/**
 * The old heap may grow by half of what is alive before it is collected. V8's own choice, up to four times, suits a
 * program that owns the machine; a sidecar leaves the memory to the recorder.
 */
const HEAP_GROWTH = "--heap-growing-percent=50";

export function addWorkerCommand(program: Command): void {
  const command = program
    .command("worker")
    .description("watch directories and upload their files as they grow");
  for (const { flags, about } of flagDefinitions()) command.option(flags, about);
  command.action(async (flags: Flags) => {
    try {
      setFlagsFromString(HEAP_GROWTH);
      // Loaded only here: no other command waits for the S3 client to be read from disk.
      const { runWorker } = await import("../start/run-worker.ts");
      // It may end by kill -9, which leaves no time for it.
      flushCompileCache();
      process.exitCode = await runWorker(flags);
    } catch (error) {
      process.exitCode = exitCodeOf(error);
      process.stderr.write(
        `${visibleLines(error instanceof Error && hasExitCode(error) ? error.message : describe(error))}\n`,
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
