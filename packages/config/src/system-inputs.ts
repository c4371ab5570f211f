/** What the loader reads, taken from this process. */
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import type { Role } from "./config.ts";
import { containerSign } from "./container.ts";
import type { ConfigInputs } from "./load.ts";
import type { Flags } from "./sources/flags.ts";

export function systemInputs(roles: readonly Role[], flags: Flags = {}): ConfigInputs {
  return {
    env: process.env,
    cwd: process.cwd(),
    hostname: hostname(),
    readFile: (path) => readFileSync(path, "utf8"),
    container: () => containerSign(),
    roles,
    flags,
  };
}
