/** A secret is generated once, readable by its owner only, and never printed except where the caller says so. */
import { randomBytes } from "node:crypto";
import { chmodSync, readFileSync, renameSync, writeFileSync } from "node:fs";

/** 128 bits, in characters that need no quoting anywhere. */
function randomSecret(): string {
  return randomBytes(16).toString("base64url");
}

/** Returns the content of `file`; on first use writes the result of `make`. Complete or absent, mode 0600. */
export function keptSecret(file: string, make: () => string = randomSecret): string {
  const kept = readIfThere(file);
  if (kept) {
    chmodSync(file, 0o600);
    return kept;
  }
  const aside = `${file}.${process.pid}`;
  writeFileSync(aside, `${make()}\n`, { mode: 0o600 });
  renameSync(aside, file);
  return readIfThere(file);
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}
