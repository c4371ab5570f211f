/**
 * Runs a fixture as a user without rights, because root reads everything. As any other user it runs as it is.
 * The fixture gives up its rights after its imports, prints one JSON value and ends.
 */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { connectS3 } from "@sluice/s3-store";

export function runAsNobody(fixture: string, ...args: string[]): unknown {
  const path = fileURLToPath(new URL(`fixtures/${fixture}`, import.meta.url));
  return JSON.parse(execFileSync(process.execPath, [path, ...args], { encoding: "utf8" }));
}

/** The SDK loads what finds credentials when it is first asked for some. */
export async function loadCredentials(): Promise<void> {
  using connection = connectS3({ endpoint: "http://127.0.0.1:1", region: "us-east-1", uploadConcurrency: 1 });
  await connection.config.credentials();
}

/** Called by the fixture. */
export function becomeNobody(): void {
  if (process.getuid?.() !== 0) return;
  process.setgroups?.([65_534]);
  process.setgid?.(65_534);
  process.setuid?.(65_534);
}
