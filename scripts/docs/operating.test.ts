/** The operating guide leaves no alert and no failure without what to do, and speaks of none that does not exist. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { FAILURE_REASONS } from "../../packages/core/src/stream/failures.ts";
import { expect, test } from "vitest";

const read = (file: string) => readFileSync(join(import.meta.dirname, "../..", file), "utf8");
const guide = read("docs/guides/operating.md");

/** The names in the first cells of the table under a heading. */
function named(heading: string): string[] {
  const [, section = ""] = guide.split(`\n## ${heading}\n`);
  const [table = ""] = section.split("\n## ");
  return [...table.matchAll(/^\| (`[^|]+)\|/gm)].flatMap(([, cell = ""]) =>
    [...cell.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name),
  );
}

test("every reason of failure has its row", () => {
  expect(named("When a stream fails").toSorted()).toEqual([...FAILURE_REASONS].toSorted());
});

test("every alert has its row", () => {
  const alerts = [...read("deploy/prometheus/sluice.rules.yml").matchAll(/alert: (\w+)/g)].map(
    ([, name = ""]) => name,
  );
  expect(named("When an alert fires").toSorted()).toEqual(alerts.toSorted());
});
