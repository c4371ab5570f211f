/** The live feed: one connection a browser, no gaps, pause, honest about its age; and the end of the server that holds it. */
import type { BrowserContext, Page } from "@playwright/test";
import type { Redis } from "ioredis";
import { seed } from "../../apps/web/scripts/seed.ts";
import { signIn } from "./support/api.ts";
import { startDashboard } from "./support/dashboard.ts";
import { expect, openPage, signInAt, test } from "./support/test.ts";

test.use({ world: "live" });

let id = "";

test.beforeAll(async ({ redis, other }) => {
  await seed({ redisUrl: redis.url, streams: 30 });
  [id = ""] = await other.zrange("streams:active", "0", "0");
});

/** What a worker's script does: a change of the record and its entry in the feed. */
async function say(other: Redis, text: string): Promise<void> {
  const waiting = JSON.stringify({ for: "operator", detail: text });
  await other
    .multi()
    .hset(`stream:${id}:meta`, "waiting_for", waiting)
    .xadd("events", "*", "type", "state", "subject", id, "at", String(Date.now()))
    .exec();
}

function feedRequests(context: BrowserContext): () => number {
  let open = 0;
  context.on("request", (request) => {
    if (request.url().includes("live.feed")) open += 1;
  });
  const close = (request: { url(): string }) => {
    if (request.url().includes("live.feed")) open -= 1;
  };
  context.on("requestfinished", close);
  context.on("requestfailed", close);
  return () => open;
}

async function twoTabs(context: BrowserContext, origin: string): Promise<[Page, Page]> {
  const first = await context.newPage();
  await signInAt(first, origin);
  await first.goto(`${origin}/streams/${id}`);
  await expect(first.locator("[data-live=Live]")).toBeVisible();
  const second = await context.newPage();
  await second.goto(`${origin}/streams/${id}`);
  await expect(second.locator("[data-live=Live]")).toBeVisible();
  return [first, second];
}

test("tabs of one browser share one connection; when its tab closes, another takes over", async ({
  context,
  dashboard,
  other,
}) => {
  const open = feedRequests(context);
  const [first, second] = await twoTabs(context, dashboard.origin);
  expect(open()).toBe(1);
  await say(other, "seen in both tabs");
  for (const page of [first, second]) await expect(page.getByTestId("why")).toHaveText("seen in both tabs");
  await first.close();
  await expect.poll(open).toBe(1);
  await say(other, "seen in the one that is left");
  await expect(second.getByTestId("why")).toHaveText("seen in the one that is left");
});

test("off HTTPS each visible tab has its own connection, and a hidden one gives it back", async ({
  context,
  dashboard,
  other,
}) => {
  const open = feedRequests(context);
  const origin = `http://sluice.test:${dashboard.port}`;
  const [first, second] = await twoTabs(context, origin);
  expect(await first.evaluate(() => "locks" in navigator)).toBe(false);
  expect(open()).toBe(2);
  await second.evaluate(() => {
    Object.defineProperty(document, "visibilityState", { value: "hidden", configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
  });
  await expect.poll(open).toBe(1);
  await second.evaluate(() => {
    Object.defineProperty(document, "visibilityState", { value: "visible", configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
  });
  await expect.poll(open).toBe(2);
  await say(other, "seen after coming back");
  await expect(second.getByTestId("why")).toHaveText("seen after coming back");
});

test("paused, the picture stands still; going on brings what was missed", async ({
  signedIn: page,
  dashboard,
  other,
}) => {
  await say(other, "before the pause");
  await openPage(page, `${dashboard.origin}/streams/${id}`);
  await expect(page.getByTestId("why")).toHaveText("before the pause");
  await page.getByRole("button", { name: /Pause live updates/ }).click();
  await say(other, "during the pause");
  // The feed runs on: another tab sees the change, this one does not.
  const watcher = await page.context().newPage();
  await watcher.goto(`${dashboard.origin}/streams/${id}`);
  await expect(watcher.getByTestId("why")).toHaveText("during the pause");
  await say(other, "later in the pause");
  await expect(watcher.getByTestId("why")).toHaveText("later in the pause");
  await expect(page.getByTestId("why")).toHaveText("before the pause");
  await page.getByRole("button", { name: /Resume live updates/ }).click();
  await expect(page.getByTestId("why")).toHaveText("later in the pause");
});

interface Message {
  id: string;
  batch: { reset: boolean; rows: { id: string }[] };
}

/** Reads the event stream until a message passes; then hangs up. */
async function listen(
  origin: string,
  cookie: string,
  lastEventId: string | undefined,
  wanted: (message: Message) => boolean,
): Promise<Message[]> {
  const response = await fetch(`${origin}/api/trpc/live.feed`, {
    headers: { cookie, ...(lastEventId === undefined ? {} : { "last-event-id": lastEventId }) },
  });
  const decoder = new TextDecoder();
  const messages: Message[] = [];
  let text = "";
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk as Uint8Array, { stream: true });
    const blocks = text.split("\n\n");
    text = blocks.pop() ?? "";
    for (const block of blocks) {
      const data = /^data: (.*)$/m.exec(block)?.[1];
      const at = /^id: (.*)$/m.exec(block)?.[1];
      if (data === undefined || at === undefined) continue;
      messages.push({ id: at, batch: JSON.parse(data) as Message["batch"] });
    }
    if (messages.some(wanted)) break;
  }
  return messages;
}

test("a browser that comes back hears what it missed, and of everything when its place is gone", async ({
  dashboard,
  other,
}) => {
  const cookie = await signIn(dashboard.origin);
  const [first] = await listen(dashboard.origin, cookie, undefined, () => true);
  expect(first?.batch.reset).toBe(true);
  await say(other, "while nobody listened");
  const [back] = await listen(dashboard.origin, cookie, first?.id, () => true);
  expect(back?.batch.reset).toBe(false);
  expect(back?.batch.rows.map((row) => row.id)).toContain(id);
  await other.xtrim("events", "MAXLEN", 0);
  await say(other, "after the trim");
  const [gap] = await listen(dashboard.origin, cookie, first?.id, () => true);
  expect(gap?.batch.reset).toBe(true);
});

test("a session that is ended elsewhere ends its event stream", async ({ dashboard, other }) => {
  const cookie = await signIn(dashboard.origin);
  const begun = Promise.withResolvers<void>();
  const ended = listen(dashboard.origin, cookie, undefined, () => {
    begun.resolve();
    return false;
  });
  await Promise.race([begun.promise, ended]);
  await fetch(`${dashboard.origin}/api/trpc/session.logout`, {
    method: "POST",
    headers: { cookie, origin: dashboard.origin, "content-type": "application/json" },
    body: "{}",
  });
  await say(other, "to nobody");
  // Resolves because the server hung up.
  expect((await ended).length).toBeGreaterThan(0);
});

test("a server that falls silent is shown as stale, and as live once it speaks again", async ({
  page,
  redis,
}) => {
  const dashboard = await startDashboard(redis.url);
  try {
    await signInAt(page, dashboard.origin);
    await expect(page.locator("[data-live=Live]")).toBeVisible();
    dashboard.running.child.kill("SIGSTOP");
    await expect(page.locator("[data-live=Stale]")).toBeVisible({ timeout: 25_000 });
    dashboard.running.child.kill("SIGCONT");
    await expect(page.locator("[data-live=Live]")).toBeVisible({ timeout: 25_000 });
  } finally {
    dashboard.running.child.kill("SIGCONT");
    await dashboard.stop();
  }
});

test("SIGTERM ends the server within a second while event streams are open", async ({ page, redis }) => {
  const dashboard = await startDashboard(redis.url);
  await signInAt(page, dashboard.origin);
  await expect(page.locator("[data-live=Live]")).toBeVisible();
  const asked = performance.now();
  await dashboard.running.end("SIGTERM");
  expect(performance.now() - asked).toBeLessThan(1_000);
});
