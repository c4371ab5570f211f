/** The project's own files as text: what git tracks or would track, with paths relative to the checkout. */
import { globSync, readFileSync } from "node:fs";
import { join, sep } from "node:path";

export interface SourceFile {
  /** With forward slashes, relative to the checkout. */
  readonly path: string;
  readonly text: string;
}

const ROOT = join(import.meta.dirname, "../..");

const NOT_OURS = new Set([
  "node_modules",
  ".next",
  ".sluice",
  ".git",
  "coverage",
  "test-results",
  "playwright-report",
  "reports",
]);

export function filesMatching(...patterns: string[]): SourceFile[] {
  const exclude = (entry: string) => entry.split(sep).some((name) => NOT_OURS.has(name));
  return globSync(patterns, { cwd: ROOT, exclude })
    .map((path) => ({ path: path.replaceAll(sep, "/"), absolute: join(ROOT, path) }))
    .sort((a, b) => a.path.localeCompare(b.path))
    .map(({ path, absolute }) => ({ path, text: readFileSync(absolute, "utf8") }));
}

export function isTest(path: string): boolean {
  return /\.test\.tsx?$|\/test\/|^tests\//.test(path);
}
