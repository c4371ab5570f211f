/**
 * The questions that somebody on call asks, each answered from the overview in at most four clicks; a search that is typed and
 * sent counts as one. With the real worker, behind a slow uplink.
 */
import { randomBytes } from "node:crypto";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Locator, Page } from "@playwright/test";
import type { Redis } from "ioredis";
import { mutate, query, signIn } from "./support/api.ts";
import { startDashboard, type Dashboard } from "./support/dashboard.ts";
import { expectSoundLooks } from "./support/looks.ts";
import { until } from "./support/process.ts";
import { PART, startStack, type Stack } from "./support/stack.ts";
import { expect, openPage, test as base } from "./support/test.ts";

const test = base.extend<{ clicks: Clicks }>({
  clicks: async ({ page }, use) => {
    const [name = "", value = ""] = (await signIn(dashboard.origin, undefined, "ann")).split("=");
    await page.context().addCookies([{ name, value, url: dashboard.origin }]);
    await openPage(page, dashboard.origin);
    const clicks = new Clicks();
    await use(clicks);
    expect(clicks.made).toBeLessThanOrEqual(4);
  },
});
test.use({ world: "on-call" });
test.describe.configure({ mode: "serial" });

class Clicks {
  made = 0;

  async on(what: Locator): Promise<void> {
    this.made += 1;
    await what.click();
  }

  async choose(list: Locator, option: string): Promise<void> {
    this.made += 1;
    await list.selectOption(option);
  }

  async search(page: Page, text: string): Promise<void> {
    this.made += 1;
    await page.getByRole("searchbox").fill(text);
    await page.keyboard.press("Enter");
  }
}

function navigation(page: Page): Locator {
  return page.getByRole("navigation", { name: "Pages" });
}

const MIB = 1024 * 1024;
const SOON = { timeout: 40_000 };
const HOUR_MS = 3_600_000;

let stack: Stack;
let dashboard: Dashboard;

test.beforeAll(async ({ redis, other }) => {
  test.setTimeout(180_000);
  stack = await startStack(redis.url);
  await stack.start({ SLUICE_BANDWIDTH: "2MiB/s" });
  // A mebibyte costs a dollar, so that a test can see it.
  dashboard = await startDashboard(redis.url, { SLUICE_WEB_STORAGE_PRICE: "1024 USD" });
  const done = join(stack.inbox, "done.mkv");
  await writeFile(done, randomBytes(1_000));
  await writeFile(`${done}.done`, "");
  await until("a completion", async () =>
    (await other.zcard("streams:completed")) === 1 ? true : undefined,
  );
  await purgedBy("carl", join(stack.inbox, "unwanted.mkv"), other);
  // Its first part is in S3 when it vanishes.
  const gone = join(stack.inbox, "vanished.mkv");
  await writeFile(gone, randomBytes(PART + MIB));
  const id = await streamOf(gone, other);
  await until("its first part", async () =>
    (await other.hget(`stream:${id}:meta`, "next_part")) === "2" ? true : undefined,
  );
  await stack.bucket.uploadPart(
    "vanished.mkv",
    await stack.createUpload("vanished.mkv"),
    1,
    randomBytes(MIB),
  );
  await rm(gone);
  await until("its failure", async () => ((await other.zcard("streams:failed")) === 1 ? true : undefined));
  await writeFile(join(stack.inbox, "slow.mkv"), randomBytes(200 * MIB));
});
test.afterAll(async () => {
  await dashboard.stop();
  await stack.stop();
});

async function streamOf(path: string, other: Redis): Promise<string> {
  return until(
    `a stream of ${path}`,
    async () => (await other.hget("streams:by_path", `browser-tests:${path}`)) ?? undefined,
  );
}

/** A recording that nobody wants: aborted, then purged. */
async function purgedBy(who: string, path: string, other: Redis): Promise<void> {
  await writeFile(path, randomBytes(1_000));
  const id = await streamOf(path, other);
  const cookie = await signIn(dashboard.origin, undefined, who);
  for (const action of ["abort", "purge"]) {
    const planned = await mutate(
      dashboard.origin,
      "actions.plan",
      { action, target: { ids: [id] } },
      { cookie },
    );
    const { token } = planned.data as { token: string };
    const asked = { token, typed: action, reason: "a test recording" };
    await mutate(dashboard.origin, "actions.execute", asked, { cookie });
    await until(`the ${action}`, async () => {
      const { data } = await query(dashboard.origin, "actions.progress", { token }, { cookie });
      return (data as { done: number }).done === 1 ? true : undefined;
    });
    if (action === "abort")
      await until("its end", async () => ((await other.zcard("streams:failed")) === 1 ? true : undefined));
  }
  await rm(path);
}

test("what is at risk, and how much?", async ({ page, clicks }) => {
  await expect(page.locator("[data-verdict]")).not.toHaveAttribute("data-verdict", "safe", SOON);
  await expect(page.getByRole("region", { name: "Not in S3 yet" })).toContainText(/MiB/);
  expect(clicks.made).toBe(0);
});

test("which recording is furthest behind, why, and when will it be in S3?", async ({ page, clicks }) => {
  await clicks.on(page.getByRole("link", { name: "slow.mkv" }).first());
  await expect(page.getByTestId("why")).toContainText(
    /still being sent, at .*what is on disk is in S3\sin/,
    SOON,
  );
});

test("what failed in the last hour, what is the remedy, what is lost?", async ({ page, clicks, other }) => {
  await clicks.on(navigation(page).getByRole("link", { name: /^Failed/ }));
  await clicks.choose(page.getByRole("combobox", { name: /^Failed in/ }), "hour");
  const group = page.getByRole("region", { name: /file missing/i });
  await expect(group).toContainText("vanished.mkv");
  await expect(group).toContainText(/Lost\s*1\.0 MiB/);
  await expect(group).toContainText(/salvage/i);
  await expect(group.getByRole("columnheader", { name: "Failed" })).toBeVisible();
  // What failed before is not in that hour, nor in what its buttons do.
  const [id = ""] = await other.zrange("streams:failed", "0", "0");
  const at = new Date(Date.now() - 30 * HOUR_MS).toISOString();
  await other.hset(`stream:${id}:meta`, "failed_at_utc", at);
  await other.xadd("events", "*", "type", "state", "subject", id, "at", Date.now());
  await expect(page.getByText("Nothing failed in the last hour")).toBeVisible();
  await expect(page.getByRole("button", { name: /^Purge these/ })).toHaveAttribute("aria-disabled", "true");
  await page.getByRole("combobox", { name: /^Failed in/ }).selectOption("week");
  await expect(group).toContainText("vanished.mkv");
});

test("is the object identical to its file?", async ({ page, clicks }) => {
  await clicks.search(page, "done.mkv");
  await clicks.on(page.getByRole("link", { name: /done\.mkv/ }));
  await clicks.on(page.getByRole("button", { name: "Prove it" }));
  await expect(page.getByText("SHA-256 of file and object: equal")).toBeVisible(SOON);
});

test("who purged what today?", async ({ page, clicks }) => {
  await clicks.on(navigation(page).getByRole("link", { name: "Activity" }));
  await clicks.choose(page.getByRole("combobox", { name: /^Time/ }), "today");
  await clicks.choose(page.getByRole("combobox", { name: /^Action/ }), "purge");
  const entry = page.getByRole("row").filter({ hasText: "unwanted.mkv" }).first();
  await expect(entry).toContainText("carl");
  await expect(entry).toContainText("a test recording");
});

test("what do orphans cost, and which may go?", async ({ page, clicks, other }) => {
  await clicks.on(navigation(page).getByRole("link", { name: /^Orphans/ }));
  await clicks.on(page.getByRole("button", { name: "Scan now" }));
  const upload = page.locator("[data-verdict=ours]");
  await expect(upload).toContainText("becomes deletable");
  const totals = page.getByRole("region", { name: "Totals" });
  await expect(totals.getByRole("row").filter({ hasText: "Ours" })).toContainText("1.00 USD");
  await expect(totals).not.toContainText("may be deleted now");
  // A day later, as far as the record says.
  for (const [id, text] of Object.entries(await other.hgetall("orphans"))) {
    const began = new Date(Date.now() - 25 * HOUR_MS).toISOString();
    const orphan = { ...(JSON.parse(text) as object), initiated_at_utc: began };
    await other.hset("orphans", id, JSON.stringify(orphan));
  }
  await page.reload();
  await expect(upload).toContainText("became deletable");
  await expect(totals.getByRole("row").filter({ hasText: "may be deleted now" })).toContainText("1.0 MiB");
  await expect(navigation(page).getByRole("link", { name: /^Orphans/ })).toContainText(
    "1 may be deleted",
    SOON,
  );
  await page.goto(dashboard.origin);
  const note = page.locator("[data-attention=orphans]");
  await expect(note).toContainText("1 upload that no stream owns may be deleted");
  await expect(note).toContainText("1.0 MiB, 1.00 USD a month");
});

test("which host has a problem, and since when?", async ({ page, clicks }) => {
  stack.faults.add(
    { times: -1 },
    { kind: "reply", reply: { status: 500, code: "InternalError", message: "not today" } },
  );
  const blocked = page.locator("[data-attention=blocked-browser-worker]");
  await expect(blocked).toContainText(/Worker browser-worker.* is blocked/, SOON);
  await expect(blocked).toContainText("Since");
  expect(clicks.made).toBe(0);
});

test("the pages that answer have no serious fault of accessibility, and nothing overlaps, on a phone either", async ({
  page,
  clicks,
}) => {
  test.setTimeout(180_000);
  for (const path of ["/failed?when=week", "/orphans", "/streams?when=days&time=completed", "/"]) {
    await openPage(page, dashboard.origin + path);
    await expectSoundLooks(page, path);
  }
  expect(clicks.made).toBe(0);
});
