/** Playwright's test with a Redis and a dashboard of its own for each file that asks for one. */
import { expect, test as base, type Page } from "@playwright/test";
import { Redis } from "ioredis";
import { startRedis, type TestRedis } from "@sluice/redis-schema/testing";
import { signIn } from "./api.ts";
import { PASSWORD, startDashboard, type Dashboard } from "./dashboard.ts";

interface FileFixtures {
  /** Names whose Redis and dashboard these are: files with different names never meet in one. */
  world: string;
  redis: TestRedis;
  /** Another client of the same Redis: reads back what the dashboard did. */
  other: Redis;
  dashboard: Dashboard;
}

interface TestFixtures {
  /** A page that is signed in and has loaded nothing yet; auth.spec.ts proves that signing in on a page works. */
  signedIn: Page;
}

export const test = base.extend<TestFixtures, FileFixtures>({
  world: ["", { scope: "worker", option: true }],
  redis: [
    async ({ world }, use) => {
      if (world === "") throw new Error("a file names its world: test.use({ world })");
      const redis = await startRedis({ appendonly: true });
      await use(redis);
      await redis.stop();
    },
    { scope: "worker" },
  ],
  other: [
    async ({ redis }, use) => {
      const other = new Redis(redis.url);
      other.on("error", () => undefined);
      await use(other);
      other.disconnect();
    },
    { scope: "worker" },
  ],
  dashboard: [
    async ({ redis }, use) => {
      const dashboard = await startDashboard(redis.url);
      await use(dashboard);
      await dashboard.stop();
    },
    { scope: "worker" },
  ],
  signedIn: async ({ page, dashboard: { origin } }, use) => {
    const [name = "", value = ""] = (await signIn(origin)).split("=");
    await page.context().addCookies([{ name, value, url: origin }]);
    await use(page);
  },
});

export async function signInAt(page: Page, origin: string): Promise<void> {
  await page.goto(`${origin}/login`);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page).toHaveURL(`${origin}/`);
  await answersToClicks(page);
}

/** Opens a page of the dashboard and waits until it is more than text. */
export async function openPage(page: Page, address: string): Promise<void> {
  await page.goto(address);
  await answersToClicks(page);
}

/** A page can be read before its buttons answer; the live chip says when they do. */
async function answersToClicks(page: Page): Promise<void> {
  await expect(page.locator("[data-live=Live]")).toBeVisible();
}

export { expect };
