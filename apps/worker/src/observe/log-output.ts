/**
 * Where the log is written to. Each line is written before the next statement runs, so that the last one of a process is
 * there. A line that the output does not take (the disk is full, nobody reads) is dropped and counted: pino's own
 * destination throws then, or retries for ever while the process ends.
 */
import { writeSync } from "node:fs";

/** A pipe that is read slowly is waited for this long; after a line was dropped, no longer until it takes one again. */
const PATIENCE_MS = 1_000;
const PAUSE_MS = 10;
const STANDARD_OUTPUT = 1;

interface LineOutput {
  write(line: string): void;
}

/** What the kernel does, except in tests. */
interface Kernel {
  /** How many bytes were taken, at least one; throws as `fs.writeSync`. */
  write(bytes: Uint8Array): number;
  pause(ms: number): void;
}

/** `onRecovered`: how many lines were dropped before the output took one again. */
export function lineOutput(kernel: Kernel, onRecovered: (lines: number) => void): LineOutput {
  let dropped = 0;
  /** The last line was cut off. */
  let torn = false;

  /** False: it was not taken, or not all of it. */
  function take(text: string): boolean {
    let rest: Uint8Array = Buffer.from(text);
    const whole = rest.length;
    let patienceMs = dropped > 0 ? 0 : PATIENCE_MS;
    while (rest.length > 0) {
      try {
        rest = rest.subarray(kernel.write(rest));
      } catch (error) {
        if (!isBusy(error) || patienceMs <= 0) {
          torn ||= rest.length < whole;
          return false;
        }
        patienceMs -= PAUSE_MS;
        kernel.pause(PAUSE_MS);
      }
    }
    torn = false;
    return true;
  }

  return {
    write(line) {
      if (!take(torn ? `\n${line}` : line)) {
        dropped += 1;
        return;
      }
      const lines = dropped;
      dropped = 0;
      if (lines > 0) onRecovered(lines);
    },
  };
}

export function standardOutput(onRecovered: (lines: number) => void): LineOutput {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  const kernel: Kernel = {
    write: (bytes) => writeSync(STANDARD_OUTPUT, bytes),
    pause: (ms) => void Atomics.wait(cell, 0, 0, ms),
  };
  return lineOutput(kernel, onRecovered);
}

/** The pipe is full: it takes more once its reader has read. */
function isBusy(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "EAGAIN" || code === "EBUSY" || code === "EINTR";
}
