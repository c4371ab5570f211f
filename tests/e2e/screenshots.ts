/**
 * Takes the pictures of docs/guides/dashboard.md and the README again: `pnpm run docs:screenshots`. The streams are the seed's, the
 * browser and the dashboard are the tests'. Where pngquant is installed the files become a third.
 */
import { spawnSync } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { chromium, type Browser, type Page } from "@playwright/test";
import { Redis } from "ioredis";
import { startRedis } from "@sluice/redis-schema/testing";
import { seed } from "../../apps/web/scripts/seed.ts";
import config from "./playwright.config.ts";
import { signIn } from "./support/api.ts";
import { startDashboard } from "./support/dashboard.ts";
import { ROOT } from "./support/paths.ts";
import { until } from "./support/process.ts";

const FOLDER = join(ROOT, "docs/images");
const WIDE = { width: 1280, height: 800 };
const PHONE = { width: 360, height: 740 };

interface Picture {
  name: string;
  path: string;
  theme?: "light" | "dark";
  size?: { width: number; height: number };
  /** Before the picture is taken. */
  act?: (page: Page) => Promise<void>;
}

function pictures(streams: Record<"large" | "failed", string>): Picture[] {
  return [
    { name: "overview", path: "/" },
    { name: "overview-dark", path: "/", theme: "dark" },
    { name: "streams", path: "/streams" },
    { name: "stream", path: `/streams/${streams.large}`, theme: "dark" },
    { name: "failed", path: "/failed" },
    {
      name: "purge-plan",
      path: `/streams/${streams.failed}`,
      act: async (page) => {
        await page.getByRole("button", { name: /^Purge/ }).click();
        await page.getByRole("button", { name: "Cancel" }).waitFor();
      },
    },
    { name: "orphans", path: "/orphans" },
    { name: "workers", path: "/workers", theme: "dark" },
    { name: "phone-overview", path: "/", size: PHONE, theme: "dark" },
    { name: "phone-stream", path: `/streams/${streams.large}`, size: PHONE },
  ];
}

const ended = new AbortController();
await mkdir(FOLDER, { recursive: true });
await using redis = await startRedis({ appendonly: true });
const SEEDED = { redisUrl: redis.url, calm: true };
const seeding = seed({ ...SEEDED, streams: 180, parts: 960, keepWorker: ended.signal });
const other = new Redis(redis.url);
const dashboard = await startDashboard(redis.url, { SLUICE_WEB_ENVIRONMENT: "production" });
const session = await signIn(dashboard.origin);
const { launchOptions } = config.use ?? {};
const browser = await chromium.launch(launchOptions ?? {});
try {
  await until("the seeded streams", async () => ((await other.hlen("orphans")) > 3 ? true : undefined));
  const [failed = ""] = await other.zrange("streams:failed", "0", "0");
  const active = await other.zrange("streams:active", "0", "-1");
  const sizes = await Promise.all(active.map((id) => other.hlen(`stream:${id}:parts`)));
  const large = active[sizes.indexOf(920)] ?? "";
  for (const picture of pictures({ large, failed })) await take(browser, picture);
  const [whole = ""] = (await seed({ ...SEEDED, streams: 0, from: 1_000, parts: 10_000 })).slice(-1);
  await take(browser, { name: "stream-10000-parts", path: `/streams/${whole}` });
} finally {
  ended.abort();
  await seeding;
  await browser.close();
  other.disconnect();
  await dashboard.stop();
}

async function take(
  from: Browser,
  { name, path, theme = "light", size = WIDE, act }: Picture,
): Promise<void> {
  const [cookie = "", value = ""] = session.split("=");
  const context = await from.newContext({ viewport: size, colorScheme: theme, reducedMotion: "reduce" });
  await context.addCookies([{ name: cookie, value, url: dashboard.origin }]);
  const page = await context.newPage();
  await page.goto(dashboard.origin + path);
  await page.locator("[data-live=Live]").waitFor({ state: "attached" });
  await page
    .getByRole("main")
    .getByText(/^(Loading|Reading)/)
    .filter({ visible: true })
    .first()
    .waitFor({ state: "detached" });
  if (path === "/") await page.locator("canvas").first().waitFor();
  await act?.(page);
  const file = join(FOLDER, `${name}.png`);
  await page.screenshot({ path: file, animations: "disabled" });
  await context.close();
  const smaller = spawnSync("pngquant", ["--force", "--ext", ".png", "--quality", "80-98", "--strip", file]);
  console.log(`${file}${smaller.error === undefined ? "" : " (pngquant is not installed: as it came)"}`);
}
