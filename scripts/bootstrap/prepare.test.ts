import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { workspacePatterns } from "./prepare.mjs";

const ROOT = join(import.meta.dirname, "../..");

it("the workspace's entries are read whatever their quotes and comments", () => {
  const yaml = `packages:\n  - apps/*\n  # a comment\n  - "packages/*"\n\n  - 'bench' # why\n\ncatalog:\n  - not/this\n`;
  expect(workspacePatterns(yaml)).toEqual(["apps/*", "packages/*", "bench"]);
  expect(workspacePatterns("catalog:\n  x: 1\n")).toEqual([]);
});

it("every package of this workspace lies under one of its entries", () => {
  const patterns = workspacePatterns(readFileSync(join(ROOT, "pnpm-workspace.yaml"), "utf8"));
  const found = globSync(
    patterns.map((pattern) => `${pattern}/package.json`),
    { cwd: ROOT },
  );
  expect(found).toContain(join("packages", "core", "package.json"));
  expect(found).toContain(join("apps", "worker", "package.json"));
  expect(patterns.every((pattern) => /^[\w/-]+(\/\*)?$/.test(pattern))).toBe(true);
});
