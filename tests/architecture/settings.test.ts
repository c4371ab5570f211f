/** Settings are real: each is read by a program, and no page, file or program speaks of one that does not exist. */
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

const OTHER = new Set([
  // Names the file of the settings.
  "SLUICE_CONFIG",
  // Put into docker-compose.yml by compose itself: the directory of the host that is watched.
  "SLUICE_INBOX",
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

  it("that do not exist would be noticed", () => {
    const files = [{ path: "x.md", text: "Set SLUICE_PART_SIZE and SLUICE_PART_SISE; SLUICE_* are ours." }];
    expect(unknownVariables(files)).toEqual(["x.md: SLUICE_PART_SISE"]);
  });
});
