/** `sluice worker`: every setting is also a flag. The worker is the process, so its end ends the process. */
import { flushCompileCache } from "node:module";
import { setFlagsFromString } from "node:v8";
import { flagDefinitions, type Flags } from "@sluice/config";
import { visibleLines } from "@sluice/control/visible-text";
import type { Command } from "commander";

/**
 * The old heap may grow by half of the live data before it is collected. V8's default, up to four times, suits a
 * program that has the machine for itself; a sidecar must leave the memory to the recorder.
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
      // Imported only here, so that no other command loads the S3 client from disk.
      const { runWorker } = await import("../start/run-worker.ts");
      // Now, because after kill -9 there is no later.
      flushCompileCache();
      process.exitCode = await runWorker(flags);
    } catch (error) {
      process.exitCode = exitCodeOf(error);
      process.stderr.write(
        `${visibleLines(error instanceof Error && hasExitCode(error) ? error.message : describe(error))}\n`,
      );
    }
    // An open handle (such as a socket that gets no answer) must not delay the exit.
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
