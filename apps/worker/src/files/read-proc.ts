/** A file of procfs as text. */
import { readFileSync } from "node:fs";
import { systemError } from "./system-error.ts";

/** "" if /proc does not exist or is not mounted. */
export function readProc(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch (error) {
    systemError(error);
    return "";
  }
}
