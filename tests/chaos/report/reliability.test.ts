import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { readLogs } from "./figures.ts";
import { reliabilityPage } from "./reliability.ts";
import { readSimulated } from "./simulated.ts";

const root = join(import.meta.dirname, "../../..");

it("RELIABILITY.md is what the committed logs give: npm run chaos -- --report", () => {
  const page = readFileSync(join(root, "RELIABILITY.md"), "utf8");
  const simulated = readSimulated(join(root, "tests/simulation/runs.ndjson"));
  expect(page).toBe(reliabilityPage(readLogs(join(root, "tests/chaos/logs")), simulated));
});
