/** The house rules of the scripts, read from their text. */
import { readdirSync, readFileSync } from "node:fs";
import { FAILURE_REASONS, KINDS } from "@sluice/core";
import { describe, expect, test } from "vitest";
import { KEYS } from "./key-table.ts";
import { SCRIPTS } from "./scripts.ts";

const directory = new URL("./scripts/", import.meta.url);
const files = readdirSync(directory).filter((name) => name.endsWith(".lua"));
const text = (name: string) => readFileSync(new URL(name, directory), "utf8");
const code = (name: string) => text(name).replace(/--.*$/gm, "");

describe.each(files)("%s", (name) => {
  test("names no state", () => {
    const quoted = [...code(name).matchAll(/'([^']*)'|"([^"]*)"/g)].map((match) => match[1] ?? match[2]);
    const states = [...KINDS, ...FAILURE_REASONS, ...FAILURE_REASONS.map((reason) => `failed_${reason}`)];
    expect(quoted.filter((word) => states.some((state) => state === word))).toEqual([]);
  });

  test("names no key", () => {
    const beginnings = Object.values(KEYS).map(({ pattern }) => pattern.replace(/<.*$/, ""));
    const quoted = [...code(name).matchAll(/'([^']*)'/g)].map((match) => match[1] ?? "");
    const known = beginnings.filter((beginning) => beginning.includes(":"));
    expect(quoted.filter((word) => known.some((beginning) => word.startsWith(beginning)))).toEqual([]);
  });
});

test.each(files.filter((name) => !name.startsWith("lib-")))(
  "%s opens with its KEYS, ARGV and replies",
  (name) => {
    const header = text(name)
      .split("\n")
      .filter((line) => line.startsWith("--"))
      .join("\n");
    expect(header).toMatch(/^-- KEYS: /m);
    expect(header).toMatch(/^-- ARGV: /m);
    expect(header).toMatch(/^-- Replies: /m);
  },
);

test("every script file is one of SCRIPTS, and every one of SCRIPTS is a file", () => {
  const names = Object.values(SCRIPTS).map(({ name }) => `${name}.lua`);
  expect(files.filter((name) => !name.startsWith("lib-")).toSorted()).toEqual(names.toSorted());
});
