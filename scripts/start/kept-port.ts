/** A service that listens on a random port keeps it over restarts if it is still free. */
import { readFileSync, writeFileSync } from "node:fs";
import { rememberedPort } from "./ports.ts";

export async function keptPort(file: string): Promise<number> {
  const port = await rememberedPort(lastPort(file));
  writeFileSync(file, `${port}\n`);
  return port;
}

export function lastPort(file: string): number | undefined {
  try {
    return Number(readFileSync(file, "utf8")) || undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
