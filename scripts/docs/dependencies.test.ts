import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runtimeDependencies, tools } from "./dependencies.ts";
import { REASONS, TOOLS } from "./reasons.ts";

const root = join(import.meta.dirname, "../..");
const page = readFileSync(join(root, "docs/reference/dependencies.md"), "utf8");

test("every dependency at run time has its reason, and no reason is left over", () => {
  expect(Object.keys(REASONS).toSorted()).toEqual([...runtimeDependencies().keys()].toSorted());
  expect(Object.keys(TOOLS).toSorted()).toEqual(tools());
});

test("X17: there are at most 26 of them", () => {
  expect(runtimeDependencies().size).toBeLessThanOrEqual(26);
});

test("each stands in docs/reference/dependencies.md", () => {
  for (const name of [...runtimeDependencies().keys(), ...tools()]) expect(page).toContain(`| \`${name}\` |`);
});

/** CVE-2025-55182 and what followed it, up to the fixes of May 2026. */
const PATCHED_NEXT = [16, 2, 6] as const;

test("X2: Next is pinned to one release, no older than the one that closed its known holes", () => {
  const workspace = readFileSync(join(root, "pnpm-workspace.yaml"), "utf8");
  const pinned = /^ {2}"?next"?: (\d+)\.(\d+)\.(\d+)$/m.exec(workspace);
  const [major = 0, minor = 0, patch = 0] = (pinned ?? []).slice(1).map(Number);
  const [wantedMajor, wantedMinor, wantedPatch] = PATCHED_NEXT;
  expect(major).toBe(wantedMajor);
  expect(minor * 1_000 + patch).toBeGreaterThanOrEqual(wantedMinor * 1_000 + wantedPatch);
});
