/** Time, chance and the kernel reach the worker through its ports alone. */
import { describe, expect, it } from "vitest";
import { filesMatching } from "./sources.ts";
import { ADAPTERS, reachesFromRoot, reachesOutside, ROOT } from "./time-and-chance.ts";

const worker = filesMatching("{apps/worker,packages/webhooks}/src/**/*.ts");

describe("the worker", () => {
  it("takes time, chance and the kernel from its ports", () => {
    expect(reachesOutside(worker)).toEqual([]);
  });

  it("reaches them from its composition root through no other file either", () => {
    expect(reachesFromRoot(worker)).toEqual([]);
  });

  it("names as adapters only files that are ones", () => {
    const plain = ADAPTERS.filter((path) => {
      const file = worker.find((one) => one.path === path);
      return !file || reachesOutside([{ ...file, path: "apps/worker/src/streams/x.ts" }]).length === 0;
    });
    expect(plain).toEqual([]);
  });
});

describe("the rule", () => {
  it.each([
    `const now = Date.now();`,
    `at: new Date().toISOString()`,
    `const since = performance.now();`,
    `setTimeout(again, 5);`,
    `fetch(url, { signal: AbortSignal.timeout(5) });`,
    `const spread = Math.random();`,
    `import { randomUUID } from "node:crypto";`,
    `import { readFileSync } from "node:fs";`,
    `import { systemClock } from "../system-clock.ts";`,
    `const id = crypto.randomUUID();`,
    `const { pid } = process.report;`,
  ])("notices what reaches outside: %s", (text) => {
    expect(reachesOutside([{ path: "apps/worker/src/streams/x.ts", text }])).not.toEqual([]);
    const root = { path: ROOT, text: `import { x } from "../deep/x.ts";` };
    expect(reachesFromRoot([root, { path: "apps/worker/src/deep/x.ts", text }])).not.toEqual([]);
  });

  it.each([
    `import type { Dirent } from "node:fs";`,
    `const at = new Date(clock.wallMs()).toISOString();`,
    `await this.processing.drain(); // Date.now()`,
  ])("lets through what does not: %s", (text) => {
    expect(reachesOutside([{ path: "apps/worker/src/streams/x.ts", text }])).toEqual([]);
  });
});
