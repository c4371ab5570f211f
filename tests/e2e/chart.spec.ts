/** The chart: its values by pointer and by keyboard, in the chosen zone and range, and never other numbers than the tiles. */
import { seed } from "../../apps/web/scripts/seed.ts";
import { signIn } from "./support/api.ts";
import { startDashboard } from "./support/dashboard.ts";
import { expect, openPage, test } from "./support/test.ts";

test.use({ world: "chart" });

const keepWorker = new AbortController();
let seeding: Promise<unknown> = Promise.resolve();

test.beforeAll(async ({ redis, other }) => {
  seeding = seed({ redisUrl: redis.url, streams: 40, calm: true, keepWorker: keepWorker.signal });
  await expect.poll(() => other.hlen("orphans")).toBe(4);
});

test.afterAll(async () => {
  keepWorker.abort();
  await seeding;
});

test("says at its right end what the tiles say", async ({ signedIn: page, dashboard: { origin } }) => {
  await openPage(page, origin);
  const values = page.getByTestId("chart-values").getByRole("listitem");
  const tile = (name: string) => page.getByRole("region", { name }).locator("p").first();
  await expect(async () => {
    expect(await values.filter({ hasText: "Lag" }).locator(".num").textContent()).toBe(
      await tile("Not in S3 yet").textContent(),
    );
    expect(await values.filter({ hasText: "Sent to S3" }).locator(".num").textContent()).toBe(
      await tile("To S3").textContent(),
    );
  }).toPass({ timeout: 5_000 });
  await expect(values.first()).toHaveText("Now");
});

test("is read by keyboard, minute by minute, in the zone that was chosen", async ({
  signedIn: page,
  dashboard: { origin },
}) => {
  await page.context().addCookies([{ name: "sluice_time", value: "utc", url: origin }]);
  await openPage(page, origin);
  const chart = page.getByRole("slider", { name: /Throughput and lag/ });
  await chart.focus();
  await expect(chart).toHaveAttribute("aria-valuetext", /^Now: Written .+, Sent to S3 .+, Lag /);
  await chart.press("ArrowLeft");
  await chart.press("ArrowLeft");
  const at = new Date(Date.now() - 2 * 60_000).toISOString().slice(11, 14);
  await expect(chart).toHaveAttribute("aria-valuetext", new RegExp(`^(${at}|\\d\\d:)\\d\\d`));
  const values = page.getByTestId("chart-values");
  await expect(values.locator("time")).toContainText("UTC");
  await chart.press("Home");
  await expect(chart).toHaveAttribute("aria-valuenow", "0");
  await chart.blur();
  await expect(values.getByText("Now")).toBeVisible();
});

test("follows the pointer", async ({ signedIn: page, dashboard: { origin } }) => {
  await openPage(page, origin);
  await page.locator(".u-over").hover();
  await expect(page.getByTestId("chart-values").locator("time")).toBeVisible();
});

test("keeps its range in the address, and a reload shows it again", async ({
  signedIn: page,
  dashboard: { origin },
}) => {
  await openPage(page, origin);
  await page.getByText("6 h", { exact: true }).click();
  await expect(page).toHaveURL(/range=6h/);
  await page.reload();
  await expect(page.getByText(/^In the last 6 h:/)).toBeVisible();
  await expect(page.getByRole("radio", { name: "6 h" })).toBeChecked();
});

test("keeps the lag of a source from which nobody reports, and says since when", async ({
  page,
  redis,
  other,
}) => {
  // As a worker left it that ended twenty minutes ago with bytes to send, which its streams still have.
  const minute = (ago: number) =>
    new Date(Date.now() - ago * 60_000).toISOString().slice(0, 16).replaceAll(/[-T:]/g, "");
  const write = other.multi();
  for (let ago = 30; ago > 20; ago -= 1)
    write.hset(`stats:${minute(ago)}`, { "lag_bytes@gone": 5 * 1024 * 1024, "source@gone": "cellar" });
  await write.exec();
  // Minutes that are over are read once: this dashboard has not read them yet.
  const dashboard = await startDashboard(redis.url);
  try {
    const { origin } = dashboard;
    const [name = "", value = ""] = (await signIn(origin)).split("=");
    await page.context().addCookies([{ name, value, url: origin }]);
    await openPage(page, `${origin}/?range=6h`);
    await expect(page.getByTestId("chart-marks")).toContainText("no worker reported from cellar");
    const values = page.getByTestId("chart-values");
    await expect(values).toContainText("Lag of cellar");
    const chart = page.getByRole("slider", { name: /Throughput and lag/ });
    await chart.focus();
    await chart.press("ArrowLeft");
    await expect(chart).toHaveAttribute("aria-valuetext", /Lag of cellar 5(\.0)? MiB/);
  } finally {
    await dashboard.stop();
  }
});
