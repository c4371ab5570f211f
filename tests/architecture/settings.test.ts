/** Settings are real: each is read by a program, and no page, file or program speaks of one that does not exist. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { FIELDS } from "../../packages/config/src/schema.ts";
import { environmentName } from "../../packages/config/src/setting.ts";
import { filesMatching, isTest, type SourceFile } from "./sources.ts";

const programs = filesMatching(
  "{apps/*/src,scripts}/**/*.{ts,tsx,mjs}",
  "packages/config/src/{load,checks}.ts",
  "packages/config/src/watches/*.ts",
).filter(({ path }) => !isTest(path));
const everything = filesMatching(
  "{apps,packages,bench,deploy,docs,scripts,tests,.ci}/**/*.{ts,tsx,mjs,md,yaml,yml,sh,json,tpl}",
  "*.{md,yaml,yml,json}",
  ".ci/run",
  "deploy/**/*Dockerfile",
).filter(({ path }) => !isTest(path));

/** The variables that .env.example explains, in use or commented out. */
const EXAMPLES = new Set(
  [
    ...readFileSync(join(import.meta.dirname, "../../.env.example"), "utf8").matchAll(/^#?([A-Z0-9_]+)=/gm),
  ].map(([, name = ""]) => name),
);

const OTHER = new Set([
  // Names the file of the settings.
  "SLUICE_CONFIG",
  // Variables of the compose files themselves, such as the published ports.
  ...EXAMPLES,
  // Kubernetes' own, recognised so that it is not taken for a mistyped setting.
  "SLUICE_PORT",
]);

function unknownVariables(files: readonly SourceFile[]): string[] {
  const known = new Set(
    FIELDS.flatMap(({ meta }) => [environmentName(meta.name), `${environmentName(meta.name)}_FILE`]),
  );
  return files.flatMap(({ path, text }) =>
    [...text.matchAll(/\bSLUICE_[A-Z0-9]+(?:_[A-Z0-9]+)*\b(?!_)/g)]
      .map(([name]) => name)
      .filter((name) => !known.has(name) && !OTHER.has(name))
      .map((name) => `${path}: ${name}`),
  );
}

describe("settings", () => {
  it.each(FIELDS.map(({ key, meta }) => [environmentName(meta.name), key]))(
    "%s is read by a program",
    (name, key) => {
      // As a property, taken out of an object, or by its variable where a program of another kind is started.
      const read = new RegExp(`(?:\\.|[{,]\\s*|^\\s+)${key}\\b|\\b${name}\\b`, "m");
      expect(programs.filter(({ text }) => read.test(text)).map(({ path }) => path)).not.toEqual([]);
    },
  );

  it("that do not exist are spoken of nowhere", () => {
    expect(unknownVariables(everything)).toEqual([]);
  });

  it("of the compose files are those of .env.example", () => {
    const used = filesMatching("docker-compose*.yml").flatMap(({ text }) =>
      [...text.matchAll(/(?<!\$)\$\{([A-Z0-9_]+)/g)].map(([, name = ""]) => name),
    );
    expect([...new Set(used)].toSorted()).toEqual([...EXAMPLES].toSorted());
  });

  it("that do not exist would be noticed", () => {
    const files = [{ path: "x.md", text: "Set SLUICE_PART_SIZE and SLUICE_PART_SISE; SLUICE_* are ours." }];
    expect(unknownVariables(files)).toEqual(["x.md: SLUICE_PART_SISE"]);
  });
});
