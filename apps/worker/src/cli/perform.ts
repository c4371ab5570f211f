/**
 * Runs a command: an error becomes a message and an exit code, Ctrl-C ends the waiting, and everything the command
 * opened is closed.
 */
import { ConfigProblems } from "@sluice/config";
import { CheckpointError, StoreError } from "@sluice/core";
import { CliError, EXIT, type ExitCode } from "./exit-codes.ts";
import { Output } from "./output/output.ts";

export interface CommonFlags {
  json?: true;
}

export interface Run {
  out: Output;
  /** Aborts on Ctrl-C. */
  signal: AbortSignal;
}

/** Sets the process's exit code; never rejects. */
export async function perform(flags: CommonFlags, work: (run: Run) => Promise<ExitCode>): Promise<void> {
  const out = new Output({ json: flags.json === true });
  const interrupt = new AbortController();
  const onInterrupt = (): void => interrupt.abort();
  process.once("SIGINT", onInterrupt);
  try {
    process.exitCode = await work({ out, signal: interrupt.signal });
  } catch (error) {
    const { exitCode, message } = explain(error);
    out.failure(exitCode, message);
    process.exitCode = exitCode;
  } finally {
    out.progressDone();
    process.off("SIGINT", onInterrupt);
  }
}

function explain(error: unknown): { exitCode: ExitCode; message: string } {
  if (error instanceof CliError) return error;
  if (error instanceof ConfigProblems) return { exitCode: EXIT.config, message: error.message };
  if (error instanceof CheckpointError) return { exitCode: EXIT.unavailable, message: error.message };
  if (error instanceof StoreError) {
    return { exitCode: EXIT.unavailable, message: `${error.code}: ${error.message}` };
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { exitCode: EXIT.software, message: `This is a bug in Sluice:\n${text}` };
}
