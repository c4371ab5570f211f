import { execFileSync } from "node:child_process";
import { globSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { MUTANTS } from "./mutants.ts";

const root = join(import.meta.dirname, "../..");
const PROMISES = Array.from({ length: 12 }, (_, n) => `P${n + 1}`);

describe("the mutants", () => {
  it("break every promise, each with its own patch", () => {
    expect(MUTANTS.map(({ promise }) => promise)).toEqual(PROMISES);
    const patches = globSync("*.patch", { cwd: join(import.meta.dirname, "patches") });
    expect(patches.toSorted()).toEqual(PROMISES.map((promise) => `${promise}.patch`).toSorted());
  });

  // Whether the named test turns red is `npm run mutants`: this only keeps the patches from growing stale.
  it.each(PROMISES)("still fit the code they break: %s", (promise) => {
    const patch = join(import.meta.dirname, "patches", `${promise}.patch`);
    expect(() =>
      execFileSync("git", ["apply", "--check", patch], { cwd: root, stdio: "pipe" }),
    ).not.toThrow();
  });
});
