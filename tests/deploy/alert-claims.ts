/** The alert rules, by promtool: they parse, and they fire when they should and not before. */
import { deepStrictEqual as same, match } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Claims } from "../compose/claims.ts";
import { mustSay } from "./said.ts";
import { TOOLS } from "./tools.ts";

const PROMETHEUS = join(import.meta.dirname, "../../deploy/prometheus");
const CASES = join(import.meta.dirname, "alerts.test.yml");

export async function alertClaims(claims: Claims): Promise<void> {
  await claims.holds("promtool takes the configuration and the alert rules", () => {
    mustSay(TOOLS.promtool, ["check", "config", "--syntax-only", join(PROMETHEUS, "prometheus.yml")]);
    match(mustSay(TOOLS.promtool, ["check", "rules", join(PROMETHEUS, "sluice.rules.yml")]), /rules found/);
  });
  await claims.holds("each alert fires for what it is there for, and is silent before", () => {
    mustSay(TOOLS.promtool, ["test", "rules", CASES]);
    const [rules, cases] = [join(PROMETHEUS, "sluice.rules.yml"), CASES].map((file) =>
      readFileSync(file, "utf8"),
    );
    const alerts = [...(rules ?? "").matchAll(/alert: (\w+)/g)].map(([, alert = ""]) => alert);
    same(
      alerts.filter((alert) => !cases?.includes(`"${alert}"`)),
      [],
      "alerts without a case",
    );
  });
}
