/** The arrows between the packages and the limits of the house hold, and each rule is able to notice that they do not. */
import { describe, expect, it } from "vitest";
import { MOVES } from "../../packages/core/src/stream/state.ts";
import {
  arrowsUp,
  controlInPages,
  filesTooLong,
  importsOutOfCore,
  keyLiterals,
  notForBrowsers,
  pathsOfAMachine,
  s3StoreArrows,
  statesInScripts,
} from "./rules.ts";
import { filesMatching } from "./sources.ts";

const code = filesMatching("{apps,packages}/*/src/**/*.{ts,tsx,mjs,lua}", "{bench,scripts}/**/*.{ts,mjs}");
const everything = filesMatching(
  "{apps,packages,bench,deploy,docs,scripts,tests,.ci}/**/*.{ts,tsx,mjs,js,lua,json,yaml,yml,md,css,sh}",
  "*.{json,yaml,yml,md,ts}",
  ".ci/run",
  "{deploy,apps}/**/Dockerfile*",
);
const states = Object.keys(MOVES);

describe("the project", () => {
  it("is seen by these tests at all", () => {
    expect(code.length).toBeGreaterThan(50);
    expect(code.some(({ path }) => path.endsWith(".lua"))).toBe(true);
    expect(states).toContain("pending_completion");
  });

  it("keeps core free of everything outside itself", () => {
    expect(importsOutOfCore(code)).toEqual([]);
  });

  it("builds the object store on core and the SDK alone, and uses the SDK nowhere else", () => {
    expect(s3StoreArrows(code)).toEqual([]);
  });

  it("lets packages import only what lies below them", () => {
    expect(arrowsUp(code)).toEqual([]);
  });

  it("keeps Redis and Node out of what pages take from control", () => {
    expect([...notForBrowsers(code), ...controlInPages(code)]).toEqual([]);
  });

  it("spells Redis keys in key-table.ts alone", () => {
    expect(keyLiterals(code)).toEqual([]);
  });

  it("names no stream state in a Lua script", () => {
    expect(statesInScripts(code, states)).toEqual([]);
  });

  it("has no source file of more than 700 lines", () => {
    expect(filesTooLong(code)).toEqual([]);
  });

  it("names no path of the machine it was written on", () => {
    expect(pathsOfAMachine(everything)).toEqual([]);
  });
});

describe("the rules", () => {
  const core = (text: string, path = "packages/core/src/stream/x.ts") => [{ path, text }];

  it.each([
    `import { readFileSync } from "node:fs";`,
    `import type Redis from 'ioredis';`,
    `export * from "@aws-sdk/client-s3";`,
    `const m = await import("pino");`,
    `import "node:process";`,
    `import { x } from "../../../worker/src/x.ts";`,
    `import { expect } from "vitest";`,
  ])("notice that core imports something from outside: %s", (line) => {
    expect(importsOutOfCore(core(line))).toHaveLength(1);
  });

  it("let core import itself, and its conformance suites vitest", () => {
    expect(importsOutOfCore(core(`import { y } from "../object/y.ts"; // from "node:fs"`))).toEqual([]);
    expect(importsOutOfCore(core(`import { it } from "vitest";`, "packages/core/src/testing/s.ts"))).toEqual(
      [],
    );
    expect(importsOutOfCore(core(`import "node:fs";`, "packages/core/src/testing/s.ts"))).toHaveLength(1);
  });

  it.each([
    ["packages/redis-schema/src/x.ts", `import { x } from "@sluice/control/units";`],
    ["packages/redis-schema/src/x.ts", `import { x } from "../../control/src/units.ts";`],
    ["packages/redis-schema/src/records/x.ts", `import { x } from "../../test/rig.ts";`],
    ["packages/config/src/x.ts", `import { x } from "@sluice/control";`],
    ["packages/config/src/x.ts", `export * from "../../../apps/worker/src/x.ts";`],
    ["packages/local-s3/src/x.ts", `import { x } from "@sluice/core";`],
    ["packages/control/src/x.ts", `import { x } from "@sluice/worker";`],
    ["packages/new/src/x.ts", `const nothing = "imported";`],
  ])("notice an arrow that points up, or a package without a place: %s: %s", (path, text) => {
    expect(arrowsUp([{ path, text }])).toHaveLength(1);
  });

  it.each([
    ["apps/worker/src/x.ts", `import { x } from "@sluice/control/units";`],
    ["packages/config/src/x.ts", `import { x } from "@sluice/redis-schema/redis-url";`],
    ["packages/redis-schema/src/records/x.ts", `import { x } from "../y.ts";`],
    ["packages/redis-schema/src/x.test.ts", `import { x } from "../test/rig.ts";`],
    ["packages/control/test/x.ts", `import { x } from "../../redis-schema/test/rig.ts";`],
  ])(
    "let a program import packages, a package those below it, and tests each other: %s: %s",
    (path, text) => {
      expect(arrowsUp([{ path, text }])).toEqual([]);
    },
  );

  it("notice what a browser cannot run", () => {
    const path = "packages/control/src/words.ts";
    expect(notForBrowsers([{ path, text: `import { KEPT } from "@sluice/redis-schema";` }])).toHaveLength(1);
    expect(notForBrowsers([{ path, text: `import { run } from "./run-plan.ts";` }])).toHaveLength(1);
    expect(notForBrowsers([{ path, text: `import type { X } from "@sluice/redis-schema";` }])).toEqual([]);
  });

  const draft = `import { x } from "@sluice/control/draft";`;
  it.each([
    ["apps/web/src/streams/x.tsx", `"use client";\n${draft}`, 1],
    ["apps/web/src/app/x/page.tsx", `/** A page. */\n"use client";\n${draft}`, 1],
    ["apps/web/src/streams/x.ts", draft, 1],
    ["apps/web/src/streams/x.ts", `import type { X } from "@sluice/control/draft";`, 0],
    ["apps/web/src/streams/x.test.ts", draft, 0],
    ["apps/web/src/app/x/page.tsx", draft, 0],
    ["apps/web/src/server/x.ts", draft, 0],
  ])(
    "notice what a page cannot take from control, in files without a mark too: %s: %s",
    (path, text, found) => {
      expect(controlInPages([{ path, text }])).toHaveLength(found);
    },
  );

  it.each([
    ["packages/s3-store/src/x.ts", `import { x } from "@sluice/config";`],
    ["packages/s3-store/src/x.ts", `import { x } from "../../redis-schema/src/x.ts";`],
    ["apps/worker/src/x.ts", `import { S3Client } from "@aws-sdk/client-s3";`],
  ])("notice an arrow to or from the object store that must not be: %s: %s", (path, text) => {
    expect(s3StoreArrows([{ path, text }])).toHaveLength(1);
  });

  it("let the object store import core and the SDK", () => {
    const text = `import { x } from "@sluice/core";\nimport "@aws-sdk/client-s3";\nimport "node:http";\nimport "./y.ts";`;
    expect(s3StoreArrows([{ path: "packages/s3-store/src/x.ts", text }])).toEqual([]);
  });

  it.each([
    "const key = `stream:${id}:meta`;",
    `redis.zrange("streams:active", 0, -1)`,
    `redis.hget('files:done', path)`,
    `const worker = "worker:" + id;`,
    "redis.hgetall(`${prefix}` + `plan:${token}`)",
  ])("notice a Redis key outside key-table.ts: %s", (line) => {
    expect(keyLiterals([{ path: "apps/worker/src/x.ts", text: line }])).toHaveLength(1);
    expect(keyLiterals([{ path: "packages/redis-schema/src/key-table.ts", text: line }])).toEqual([]);
  });

  it("take prose and imports for what they are", () => {
    const prose = `// "stream:x:meta"\nimport x from "node:stream";\nlog("worker: started"); label("plan: " + n);`;
    expect(keyLiterals([{ path: "apps/worker/src/x.ts", text: prose }])).toEqual([]);
  });

  it.each([`if status == "processing" then`, `redis.call('HSET', k, 'status', 'failed_file_missing')`])(
    "notice a state in a Lua script: %s",
    (line) => {
      expect(statesInScripts([{ path: "x.lua", text: line }], states)).toHaveLength(1);
      expect(statesInScripts([{ path: "x.lua", text: `-- ${line}` }], states)).toEqual([]);
    },
  );

  it("notice a file of 701 lines", () => {
    const lines = (count: number) => [{ path: "apps/worker/src/x.ts", text: "x\n".repeat(count) }];
    expect(filesTooLong(lines(701))).toHaveLength(1);
    expect(filesTooLong(lines(700))).toEqual([]);
  });

  it("notice a path of someone's machine", () => {
    for (const parent of ["home", "Users", "work"]) {
      expect(pathsOfAMachine([{ path: "x.md", text: `see /${parent}/ann/sluice` }])).toHaveLength(1);
    }
    expect(
      pathsOfAMachine([{ path: "x.md", text: "https://host.example/home/ann and /home/node/app" }]),
    ).toEqual([]);
  });
});
