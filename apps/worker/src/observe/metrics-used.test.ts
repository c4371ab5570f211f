/** Alerts and dashboard ask only for metrics that the worker has; a renamed one would leave them silent. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { systemClock } from "@sluice/control/system-clock";
import { Metrics } from "./metrics.ts";
import { webhookMetrics } from "./webhook-metrics.ts";

const root = join(import.meta.dirname, "../../../..");
const read = (file: string) => readFileSync(join(root, file), "utf8");
const rules = () =>
  [...read("deploy/prometheus/sluice.rules.yml").matchAll(/expr: (.+)/g)].map(([, expr = ""]) => expr);
const panels = () =>
  [...read("deploy/grafana/dashboards/sluice.json").matchAll(/"(?:expr|query)": "((?:[^"\\]|\\.)*)"/g)].map(
    ([, expr = ""]) => expr,
  );
const operating = () =>
  [...read("docs/guides/operating.md").matchAll(/^\| (`sluice_[^|]+)\|/gm)].map(([, cell = ""]) => cell);

async function exported(): Promise<Set<string>> {
  const metrics = new Metrics({ version: "1.2.3", source: "vol" }, systemClock);
  webhookMetrics(metrics.registry, systemClock, () => Promise.resolve(0));
  const all = await metrics.registry.getMetricsAsJSON();
  return new Set(
    all.flatMap(({ name, type }) =>
      String(type) === "histogram" ? [`${name}_bucket`, `${name}_sum`, `${name}_count`, name] : [name],
    ),
  );
}

it.each([
  ["alert rules", rules, 8],
  ["panels of the dashboard", panels, 8],
  ["rows of docs/guides/operating.md", operating, 8],
])("%s name metrics that are there", async (_, texts, atLeast) => {
  const named = texts().flatMap((text) => [...text.matchAll(/\bsluice_[a-z_]+\b/g)].map(([name]) => name));
  expect(new Set(named).size).toBeGreaterThanOrEqual(atLeast);
  const known = await exported();
  expect(named.filter((name) => !known.has(name))).toEqual([]);
});

it("the worker has every metric its conventions ask for", async () => {
  const known = await exported();
  const asked = [
    "sluice_lag_bytes",
    "sluice_lag_seconds",
    "sluice_streams",
    "sluice_uploaded_bytes_total",
    "sluice_part_upload_seconds",
    "sluice_retries_total",
    "sluice_failed_total",
    "sluice_orphan_uploads",
    "sluice_orphan_bytes",
    "sluice_last_part_timestamp_seconds",
    "sluice_redis_errors_total",
    "sluice_build_info",
  ];
  expect(asked.filter((name) => !known.has(name))).toEqual([]);
});
