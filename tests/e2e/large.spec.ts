/** A hundred thousand streams, one of them with ten thousand parts: the bars of the speed table, cold and warm. */
import { seedMany } from "../../apps/web/scripts/seed-many.ts";
import { startDashboard } from "./support/dashboard.ts";
import { serverTimes } from "./support/first-load.ts";
import { residentBytes } from "./support/process.ts";
import { expect, openPage, test } from "./support/test.ts";

test.use({ world: "large" });
test.describe.configure({ mode: "serial" });

const STREAMS = 100_000;
const PARTS = 10_000;
/** Server time of a first page. */
const BAR_MS = 300;
const MOST_ROWS = 60;
const MIB = 1024 * 1024;
/** Some 500 MiB were seen while it fills, 260 afterwards. */
const MOST_BYTES = 800 * MIB;

let large = "";

test.beforeAll(async ({ redis, other }) => {
  test.setTimeout(120_000);
  const ids = await seedMany({ redisUrl: redis.url, streams: STREAMS, parts: PARTS });
  large = ids.at(-1) ?? "";
  await other.config("RESETSTAT");
});

test("the first page comes within 300 ms, before the read model is filled and after", async ({ redis }) => {
  const dashboard = await startDashboard(redis.url);
  try {
    const { cold_ms, warm_ms, page_ms } = await serverTimes(dashboard.origin, STREAMS);
    expect(cold_ms, "cold, ms").toBeLessThanOrEqual(BAR_MS);
    expect(warm_ms, "warm, ms").toBeLessThanOrEqual(BAR_MS);
    expect(page_ms, "the page itself, ms").toBeLessThanOrEqual(BAR_MS);
    const bytes = await residentBytes(dashboard.running);
    expect(bytes / MIB, "MiB resident").toBeLessThan(MOST_BYTES / MIB);
    test.info().annotations.push({
      type: "measured",
      description: `cold ${Math.round(cold_ms)} ms, warm ${Math.round(warm_ms)} ms, page ${Math.round(page_ms)} ms, ${Math.round(bytes / MIB)} MiB`,
    });
  } finally {
    await dashboard.stop();
  }
});

test("X18: the list holds a screenful of rows, each with its place in the whole, and is searched and paged", async ({
  signedIn: page,
  dashboard,
}) => {
  await openPage(page, `${dashboard.origin}/streams`);
  const table = page.getByRole("table", { name: "Streams" });
  await expect(table).toHaveAttribute("aria-rowcount", String(STREAMS + 1));
  expect(await table.getByRole("row").count()).toBeLessThanOrEqual(MOST_ROWS);
  const place = page.getByRole("region", { name: "List of streams" }).getByRole("status");
  await page.getByRole("button", { name: "Next" }).click();
  await expect(place).toHaveText("101–200 of 100,000");
  await openPage(page, `${dashboard.origin}/streams?q=000777.mkv`);
  await expect(place).toHaveText("1–1 of 1");
  await expect(table.getByRole("row").nth(1)).toContainText("000777.mkv");
});

test("the stream of 10,000 parts is a map, and a table of the rows in sight", async ({
  signedIn: page,
  dashboard,
}) => {
  await openPage(page, `${dashboard.origin}/streams/${large}`);
  const map = page.getByRole("slider", { name: "Parts of the stream" });
  await expect(map).toHaveAttribute("aria-valuemax", String(PARTS));
  const table = page.getByRole("table", { name: "Parts" });
  await expect(table).toHaveAttribute("aria-rowcount", String(PARTS + 1));
  expect(await table.getByRole("row").count()).toBeLessThanOrEqual(MOST_ROWS);
});

test("none of this asked Redis for SCAN or KEYS", async ({ other }) => {
  const stats = await other.info("commandstats");
  expect(stats).toContain("cmdstat_hmget");
  expect(stats).not.toMatch(/cmdstat_(scan|keys):/);
});
