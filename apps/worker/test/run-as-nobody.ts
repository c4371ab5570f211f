/**
 * Runs a fixture as a user without rights, because root reads everything. As any other user it runs as it is.
 * The fixture gives up its rights after its imports, prints one JSON value and ends.
 */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

export function runAsNobody(fixture: string, ...args: string[]): unknown {
  const path = fileURLToPath(new URL(`fixtures/${fixture}`, import.meta.url));
  return JSON.parse(execFileSync(process.execPath, [path, ...args], { encoding: "utf8" }));
}

/** Called by the fixture. */
export function becomeNobody(): void {
  if (process.getuid?.() !== 0) return;
  process.setgroups?.([65_534]);
  process.setgid?.(65_534);
  process.setuid?.(65_534);
}
