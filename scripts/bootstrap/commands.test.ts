import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { COMMANDS } from "./commands.mjs";

const ROOT = join(import.meta.dirname, "../..");
const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
  scripts: Record<string, string>;
};

it("every script of package.json that runs sources of ours goes through the bootstrap: any Node will do", () => {
  const direct = Object.entries(scripts).filter(([, line]) => /\.(?:ts|mjs)\b/.test(line));
  expect(direct).toEqual(
    Object.keys(COMMANDS)
      .toSorted()
      .map((name) => [name, `exec node scripts/bootstrap.mjs ${name}`])
      .toSorted(
        (a, b) => Object.keys(scripts).indexOf(a[0] ?? "") - Object.keys(scripts).indexOf(b[0] ?? ""),
      ),
  );
});

it.each(Object.entries(COMMANDS))("what %s runs is there", (_, { argv }) => {
  expect(existsSync(join(ROOT, argv[0] ?? ""))).toBe(true);
});
