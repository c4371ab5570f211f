/** axe with all its rules on every page, in both themes, empty and loaded, with what opens over it; and nothing from any other host. */
import type { Page } from "@playwright/test";
import { seed } from "../../apps/web/scripts/seed.ts";
import { startRedis } from "@sluice/redis-schema/testing";
import { grave } from "./support/axe.ts";
import { startDashboard } from "./support/dashboard.ts";
import { PAGES } from "./support/pages.ts";
import { expect, openPage, signInAt, test } from "./support/test.ts";

test.use({ world: "a11y" });

const THEMES = ["light", "dark"] as const;
const SIZES = [
  { width: 1440, height: 900 },
  { width: 320, height: 700 },
] as const;

async function wear(page: Page, origin: string, theme: string): Promise<void> {
  await page.context().addCookies([{ name: "sluice_theme", value: theme, url: origin }]);
}

/** Every page in both themes, wide and narrow: no grave finding, no sideways scrolling, no complaint in the console. */
async function lookAtEverything(page: Page, origin: string, paths: readonly string[]): Promise<void> {
  const complaints: string[] = [];
  page.on("console", (message) => {
    // A stream that is not there is answered 404: the browser notes it, and the page says so.
    if (message.type() === "error" && !page.url().endsWith("/streams/none")) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  const hosts = new Set<string>();
  page.on("request", (request) => hosts.add(new URL(request.url()).host));
  for (const theme of THEMES) {
    await wear(page, origin, theme);
    for (const path of paths) {
      await page.goto(origin + path);
      await expect(page.getByRole("main")).toBeVisible();
      await expect(
        page
          .getByRole("main")
          .getByText(/^(Loading|Reading)/)
          .filter({ visible: true }),
      ).toHaveCount(0);
      for (const size of SIZES) {
        await page.setViewportSize(size);
        expect(await grave(page), `${path} ${theme} ${size.width}`).toEqual([]);
        const sideways = await page.evaluate(
          () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        );
        expect(sideways, `${path} at ${size.width}`).toBeLessThanOrEqual(0);
      }
    }
  }
  expect(complaints).toEqual([]);
  expect([...hosts]).toEqual([new URL(origin).host]);
}

test("every page without any stream", async ({ page }) => {
  test.slow();
  await using redis = await startRedis();
  const dashboard = await startDashboard(redis.url);
  try {
    await signInAt(page, dashboard.origin);
    await lookAtEverything(page, dashboard.origin, [...PAGES, "/streams/none"]);
  } finally {
    await dashboard.stop();
  }
});

test("every page with streams of every state, and the largest one", async ({
  signedIn: page,
  dashboard,
  redis,
  other,
}) => {
  test.slow();
  const ids = await seed({ redisUrl: redis.url, streams: 120, parts: 10_000 });
  const ofEach = await Promise.all(
    ["active", "pending_completion", "failed", "completed"].map((index) =>
      other.zrange(`streams:${index}`, "0", "0"),
    ),
  );
  const streams = [ids.at(-1), ...ofEach.flat()].map((id) => `/streams/${id}`);
  await lookAtEverything(page, dashboard.origin, [
    ...PAGES,
    ...streams,
    "/streams?view=failed&reason=part_limit",
  ]);
});

test("the sign-in page, before and after a wrong password", async ({ page, dashboard }) => {
  for (const theme of THEMES) {
    await wear(page, dashboard.origin, theme);
    await page.goto(`${dashboard.origin}/login`);
    expect(await grave(page)).toEqual([]);
    await page.getByLabel("Password").fill("wrong");
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect(page.getByText("Wrong password")).toBeVisible();
    expect(await grave(page)).toEqual([]);
  }
});

test("what opens over a page: the plan of a purge and its results, preferences, help, the menu of a phone", async ({
  signedIn: page,
  dashboard,
  redis,
}) => {
  await seed({ redisUrl: redis.url, streams: 4, from: 700_000, onlyFailed: true });
  for (const theme of THEMES) {
    await wear(page, dashboard.origin, theme);
    await page.setViewportSize({ width: 1280, height: 900 });
    await openPage(page, `${dashboard.origin}/failed`);
    await page
      .getByRole("button", { name: /^Purge all of/ })
      .first()
      .click();
    await expect(page.getByRole("button", { name: "Cancel" })).toBeVisible();
    expect(await grave(page)).toEqual([]);
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Preferences and account" }).click();
    expect(await grave(page)).toEqual([]);
    await page.getByRole("button", { name: "Keyboard shortcuts" }).click();
    await expect(page.getByRole("dialog", { name: "Keyboard shortcuts" })).toBeVisible();
    expect(await grave(page)).toEqual([]);
    await page.keyboard.press("Escape");
    await page.setViewportSize({ width: 320, height: 700 });
    await page.locator("summary", { hasText: "Pages" }).click();
    expect(await grave(page)).toEqual([]);
  }
});

test("keys go to places, never while someone types, and can be switched off", async ({
  signedIn: page,
  dashboard,
}) => {
  await openPage(page, dashboard.origin);
  await page.keyboard.press("g");
  await page.keyboard.press("s");
  await expect(page).toHaveURL(`${dashboard.origin}/streams`);
  await page.keyboard.press("/");
  const search = page.getByRole("searchbox", { name: /Search streams/ });
  await expect(search).toBeFocused();
  await page.keyboard.type("g f?");
  await expect(search).toHaveValue("g f?");
  await expect(page).toHaveURL(`${dashboard.origin}/streams`);
  await search.blur();
  await page.keyboard.press("?");
  await expect(page.getByRole("dialog", { name: "Keyboard shortcuts" })).toBeVisible();
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Preferences and account" }).click();
  await page.getByLabel("Single-key shortcuts").uncheck();
  await page.keyboard.press("Escape");
  await page.keyboard.press("?");
  await page.keyboard.press("g");
  await page.keyboard.press("o");
  await expect(page).toHaveURL(`${dashboard.origin}/streams`);
  await expect(page.getByRole("dialog")).toHaveCount(0);
});

test("at 200 % zoom nothing is lost and nothing scrolls sideways", async ({ signedIn: page, dashboard }) => {
  // 1280 px at 200 % are 640 CSS pixels.
  await page.setViewportSize({ width: 640, height: 450 });
  for (const path of PAGES) {
    await page.goto(dashboard.origin + path);
    await expect(page.getByRole("main")).toBeVisible();
    const sideways = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    expect(sideways, path).toBeLessThanOrEqual(0);
  }
});
