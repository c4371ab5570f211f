import { execFileSync } from "node:child_process";
import { globSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

const root = join(import.meta.dirname, "../..");
const MUTANTS = join(import.meta.dirname, "mutants");

// Whether a history shows it is `npm run simulate:mutants`: this only keeps the patches from growing stale.
it.each(globSync("*.patch", { cwd: MUTANTS }))("%s still fits the code it breaks", (patch) => {
  const check = ["apply", "--check", join(MUTANTS, patch)];
  expect(() => execFileSync("git", check, { cwd: root, stdio: "pipe" })).not.toThrow();
});
