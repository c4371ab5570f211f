/**
 * How often an open page asks the server: hardly ever while nothing happens, and not more often the more streams grow.
 * What changes comes over the one live feed.
 */
import type { BrowserContext, Page } from "@playwright/test";
import type { Redis } from "ioredis";
import { seed } from "../../apps/web/scripts/seed.ts";
import { expect, openPage, test } from "./support/test.ts";

test.use({ world: "requests" });

/** A rate is measured, so time has to pass; a third of a minute shows a request every ten seconds. */
const MEASURED_MS = 20_000;
const PER_MINUTE = 60_000 / MEASURED_MS;
const GROWING = 7;
const GROWS_EVERY_MS = 400;
/** Answers that were still on their way when the page was opened. */
const SETTLED_MS = 3_500;
const PATHS = [
  "/",
  "/streams",
  "/failed",
  "/orphans",
  "/sources?source=recorder-01",
  "/workers",
  "/workers/recorder-01-9464",
  "/webhooks",
  "/activity",
  "/system",
] as const;

const keepWorker = new AbortController();
let seeding: Promise<unknown> = Promise.resolve();
let growing: string[] = [];

test.beforeAll(async ({ redis, other }) => {
  seeding = seed({ redisUrl: redis.url, streams: 90, keepWorker: keepWorker.signal });
  // Written last: by then every stream is in its own state.
  await expect.poll(() => other.hlen("orphans")).toBe(4);
  growing = await other.zrange("streams:active", "0", String(GROWING - 1));
  expect(growing).toHaveLength(GROWING);
});

test.afterAll(async () => {
  keepWorker.abort();
  await seeding;
});

/** A page in a tab of its own, and the requests it sends; the live feed itself is one for all of them. */
async function opened(context: BrowserContext, address: string): Promise<{ asked: string[] }> {
  const page: Page = await context.newPage();
  await openPage(page, address);
  const asked: string[] = [];
  page.on("request", (request) => {
    // The code of other pages, which Next fetches ahead, belongs to the load of this one.
    const isQuestion = request.url().includes("/api/trpc/") && !request.url().includes("live.feed");
    if (isQuestion) asked.push(`${request.method()} ${request.url()}`);
  });
  return { asked };
}

async function perMinute(
  context: BrowserContext,
  addresses: readonly string[],
): Promise<Record<string, { rate: number; asked: string[] }>> {
  const pages = await Promise.all(
    addresses.map(async (address) => ({ address, ...(await opened(context, address)) })),
  );
  const [first] = context.pages();
  await first?.waitForTimeout(SETTLED_MS);
  for (const { asked } of pages) asked.length = 0;
  await first?.waitForTimeout(MEASURED_MS);
  return Object.fromEntries(
    pages.map(({ address, asked }) => [
      new URL(address).pathname,
      { rate: asked.length * PER_MINUTE, asked: [...new Set(asked)] },
    ]),
  );
}

/** As a worker's script does for each part: the record and its event. */
function grow(other: Redis): () => void {
  let step = 0;
  const timer = setInterval(() => {
    step += 1;
    const write = other.multi();
    for (const id of growing)
      write
        .hset(`stream:${id}:meta`, "file_size", 64 * 1024 * 1024 + step * 1024 * 1024)
        .xadd("events", "*", "type", "progress", "subject", id, "at", String(Date.now()));
    void write.exec();
  }, GROWS_EVERY_MS);
  return () => clearInterval(timer);
}

test("while nothing happens no page asks more than six times a minute", async ({
  signedIn,
  dashboard: { origin },
}) => {
  const rates = await perMinute(
    signedIn.context(),
    [...PATHS, `/streams/${growing[0]}`].map((path) => origin + path),
  );
  for (const [path, { rate, asked }] of Object.entries(rates))
    expect(rate, `${path}: ${asked.join(", ")}`).toBeLessThanOrEqual(6);
});

test("while seven streams grow no page asks more than thirty times a minute, and each shows the growth", async ({
  signedIn,
  dashboard: { origin },
  other,
}) => {
  const stop = grow(other);
  try {
    const rates = await perMinute(
      signedIn.context(),
      [...PATHS, `/streams/${growing[0]}`].map((path) => origin + path),
    );
    for (const [path, { rate, asked }] of Object.entries(rates))
      expect(rate, `${path}: ${asked.join(", ")}`).toBeLessThanOrEqual(30);
    // The tile on the page that never asks follows what is on disk.
    const overview = signedIn
      .context()
      .pages()
      .find((page) => new URL(page.url()).pathname === "/");
    if (overview === undefined) throw new Error("the overview is not open");
    const lag = overview.getByRole("region", { name: "Not in S3 yet" }).locator("p");
    const before = await lag.textContent();
    await expect(lag).not.toHaveText(before ?? "", { timeout: 6_000 });
  } finally {
    stop();
  }
});
