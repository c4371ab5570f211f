/** The inputs of the loader, taken from this process. */
import { closeSync, constants, fstatSync, openSync, readFileSync, readSync } from "node:fs";
import { hostname } from "node:os";
import type { Role } from "./config.ts";
import { containerSign } from "./container.ts";
import type { ConfigInputs } from "./load.ts";
import type { Flags } from "./sources/flags.ts";

/**
 * What the real process offers to the loader: environment, working directory, host name, files. `flags`: of the
 * command line.
 */
export function systemInputs(roles: readonly Role[], flags: Flags = {}): ConfigInputs {
  return {
    env: process.env,
    cwd: process.cwd(),
    hostname: hostname(),
    readFile: readSmallFile,
    container: () => containerSign(),
    roles,
    flags,
  };
}

/** No configuration is nearly this large; a larger file was named by mistake. */
const MOST_BYTES = 1024 * 1024;

/** Without these checks, a pipe without a writer or an endless device would block the start forever. */
function readSmallFile(path: string): string {
  // Opening a pipe waits for its writer unless it is non-blocking.
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const facts = fstatSync(file);
    if (facts.isDirectory()) throw new Error("it is a directory");
    if (!facts.isFile()) throw new Error("it is not a regular file");
    if (facts.size > MOST_BYTES) throw new Error(tooLarge(file));
    return readFileSync(file, "utf8");
  } finally {
    closeSync(file);
  }
}

function tooLarge(file: number): string {
  const content = Buffer.alloc(MOST_BYTES);
  const read = readSync(file, content);
  const lines = content.subarray(0, read).filter((byte) => byte === 0x0a).length + 1;
  return `it has more than ${MOST_BYTES / 1024 / 1024} MiB: that is passed at line ${lines}`;
}
