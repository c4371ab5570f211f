/** Redis stopped and started under open pages: said plainly, nothing lost, healed without a hand. */
import { seed } from "../../apps/web/scripts/seed.ts";
import { grave } from "./support/axe.ts";
import { expect, openPage, signInAt, test } from "./support/test.ts";

test.use({ world: "redis-away" });

test("open pages say since when they are old, new ones say what to check, and both heal by themselves", async ({
  browser,
  signedIn: page,
  dashboard,
  redis,
}) => {
  await seed({ redisUrl: redis.url, streams: 40 });
  await openPage(page, `${dashboard.origin}/streams`);
  const place = page.getByRole("region", { name: "List of streams" }).getByRole("status");
  await expect(place).toHaveText("1–40 of 40");
  const cookies = await page.context().cookies();
  await redis.kill();
  await expect(page.getByText("Redis is not reachable.")).toBeVisible();
  await expect(place).toHaveText("1–40 of 40");

  const fresh = await browser.newContext();
  await fresh.addCookies(cookies);
  const late = await fresh.newPage();
  await late.goto(`${dashboard.origin}/failed`);
  await expect(late.getByRole("heading", { name: "Redis not reachable" })).toBeVisible();
  await expect(late.getByText("SLUICE_REDIS_URL")).toBeVisible();

  for (const shown of [page, late]) {
    for (const colorScheme of ["light", "dark"] as const) {
      await shown.emulateMedia({ colorScheme });
      expect(await grave(shown)).toEqual([]);
    }
  }

  const stranger = await (await browser.newContext()).newPage();
  await stranger.goto(`${dashboard.origin}/login`);
  await stranger.getByLabel("Password").fill("whatever");
  await stranger.getByRole("button", { name: "Sign in" }).click();
  await expect(stranger.getByText("Redis is not reachable, so nobody can sign in now")).toBeVisible();

  await redis.start();
  await expect(page.getByText("Redis is not reachable.")).toHaveCount(0);
  await expect(page.locator("[data-live=Live]")).toBeVisible();
  await expect(late.getByRole("heading", { name: "Failed", level: 1 })).toBeVisible();
  await signInAt(stranger, dashboard.origin);
  await fresh.close();
});
