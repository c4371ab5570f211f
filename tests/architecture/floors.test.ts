/** No floor of core imports a floor above it, and docs/internals/architecture.md shows the floors as they are. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { FLOORS, drawFloors, importCycles, importsUpwards } from "./floors.ts";
import { filesMatching } from "./sources.ts";

const core = filesMatching("packages/core/src/**/*.ts");

describe("the floors of core", () => {
  it("are all seen by these tests", () => {
    const drawn = drawFloors(core).split("\n");
    expect(drawn).toHaveLength(FLOORS.length + 2);
    expect(drawn.filter((line) => line.endsWith("-> nothing"))).toEqual([expect.stringMatching(/^ground /)]);
  });

  it("import only floors below", () => {
    expect(importsUpwards(core)).toEqual([]);
  });

  it("hold no files that import each other in a circle", () => {
    expect(importCycles(core)).toEqual([]);
  });

  it("are drawn in docs/internals/architecture.md as they are", () => {
    const page = readFileSync(join(import.meta.dirname, "../../docs/internals/architecture.md"), "utf8");
    expect(page).toContain(drawFloors(core));
  });
});

describe("the rules", () => {
  const file = (path: string, text: string) => ({ path: `packages/core/src/${path}`, text });

  it("name the import that points upwards, for a type too", () => {
    const wrong = file("flow/owned-stream.ts", `import type { Life } from "../steps/stream-context.ts";`);
    expect(importsUpwards([wrong])).toEqual([
      "packages/core/src/flow/owned-stream.ts (flow): imports packages/core/src/steps/stream-context.ts from above (steps)",
    ]);
  });

  it("let a file import its own floor and those below", () => {
    const right = file(
      "steps/grow.ts",
      `import "./stream-context.ts"; import "../object/crc32.ts"; import "../limits.ts";`,
    );
    expect(importsUpwards([right])).toEqual([]);
  });

  it.each([
    ["imports two", `import { LIMITS } from "../limits.ts";\nimport "../assert.ts";`],
    ["imports none", `export const X = 1;`],
  ])("notice a file that stands on no floor and %s", (_case, text) => {
    const lost = file("drawer/x.ts", text);
    expect(importsUpwards([lost])).toEqual(["packages/core/src/drawer/x.ts: stands on no floor"]);
  });

  it("notice two files that import each other", () => {
    const circle = [
      file("object/a.ts", `import { b } from "./b.ts";`),
      file("object/b.ts", `import type { A } from "./a.ts";`),
    ];
    expect(importCycles(circle)).toEqual([
      "packages/core/src/object/a.ts -> packages/core/src/object/b.ts -> packages/core/src/object/a.ts",
    ]);
  });
});
