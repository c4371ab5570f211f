/**
 * The pages of a source, a watch, a worker, the webhooks and the dashboard itself, with the real worker: their numbers
 * against files, bucket and receiver; and how much JavaScript each route loads.
 */
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Page } from "@playwright/test";
import { SECRET, startReceiver, type WebhookReceiver } from "../../apps/worker/test/webhook-receiver.ts";
import { query, signIn } from "./support/api.ts";
import { startDashboard } from "./support/dashboard.ts";
import { expectSoundLooks } from "./support/looks.ts";
import { PART, startStack, type Stack } from "./support/stack.ts";
import { expect, openPage, test } from "./support/test.ts";

test.use({ world: "pages" });
test.describe.configure({ mode: "serial" });

const MIB = 1024 * 1024;
/** A report is written, a page refreshes. */
const SOON = { timeout: 30_000 };
const SECOND = { SLUICE_WORKER_ID: "second-worker", SLUICE_BANDWIDTH: "100MiB/s" };

let stack: Stack;
let receiver: WebhookReceiver;

test.beforeAll(async ({ redis }) => {
  stack = await startStack(redis.url);
  receiver = await startReceiver(() => 500);
  const webhooks = { SLUICE_WEBHOOK_URL: receiver.url, SLUICE_WEBHOOK_SECRET: SECRET };
  await Promise.all([stack.start(webhooks), stack.start({ ...webhooks, ...SECOND })]);
});
test.afterAll(async () => {
  await stack.stop();
  await receiver[Symbol.asyncDispose]();
});

/** The value of a figure on the page, as it is shown. */
const figure = (page: Page, name: string) =>
  page.getByTestId("place").locator("div").filter({ hasText: name }).locator("dd");

test("a source and its watch say what their files and the bucket say, and are reached from the overview", async ({
  signedIn: page,
  dashboard,
}) => {
  await writeFile(join(stack.inbox, "growing.mp4"), randomBytes(PART + 3 * MIB));
  await writeFile(join(stack.inbox, "small.mp4"), randomBytes(1000));
  await writeFile(join(stack.inbox, "small.mp4.done"), "");
  await openPage(page, dashboard.origin);
  await page.getByRole("table", { name: "Sources" }).getByRole("link", { name: "browser-tests" }).click();
  await expect(page.locator("[data-source-verdict]").first()).toHaveText("Data is safe", SOON);
  await expect(figure(page, "Not protected")).toHaveText("3.0 MiB", SOON);
  await expect(figure(page, "Completed, last hour")).toHaveText("1", SOON);
  const workers = page.getByRole("region", { name: "Workers" });
  await expect(workers.getByRole("link")).toHaveText(["browser-worker", "second-worker"]);
  await page.getByRole("table", { name: "Watches" }).getByRole("link", { name: "inbox" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Watch inbox");
  await expect(figure(page, "Not in S3")).toHaveText("3.0 MiB");
  // One part and a small file.
  await expect(figure(page, "Sent, last hour")).toHaveText("5.0 MiB");
  await page.getByRole("link", { name: "Its streams" }).click();
  await expect(page.getByRole("table", { name: "Streams" }).getByRole("row")).toHaveCount(3);
});

test("a worker shows its settings with their origins, where another differs, its last errors, and how long parts took", async ({
  signedIn: page,
  dashboard,
  other,
}) => {
  const fault = stack.faults.add(
    { times: -1 },
    { kind: "reply", reply: { status: 500, code: "InternalError", message: "not today" } },
  );
  for (const name of ["one", "two"]) await writeFile(join(stack.inbox, `${name}.mp4`), randomBytes(2 * PART));
  const ids = ["browser-worker", "second-worker"] as const;
  const seenBy = async () => {
    for (const id of ids)
      if ((await other.hget(`workers:report:${id}`, "troubles"))?.includes("store_unavailable")) return id;
    return undefined;
  };
  await expect.poll(seenBy, SOON).toBeDefined();
  const owner = (await seenBy()) ?? ids[0];
  const peer = owner === ids[0] ? ids[1] : ids[0];
  await openPage(page, `${dashboard.origin}/workers/${owner}`);
  const trouble = page.locator("[data-trouble=store_unavailable]");
  await expect(trouble).toContainText("The store was unavailable");
  await expect(trouble).toContainText("InternalError");
  stack.faults.remove(fault);
  const parts = page.getByRole("region", { name: "Duration of parts" });
  await expect(parts).toContainText(/\d parts? since/, SOON);
  const settings = page.getByRole("table", { name: "Effective settings" });
  const row = (name: string) => settings.getByRole("row").filter({ hasText: name });
  await expect(row("SLUICE_PART_SIZE")).toContainText(/5MiB.*environment/s);
  await expect(row("SLUICE_REDIS_URL")).toContainText(/set.*environment/s);
  await expect(row("SLUICE_BANDWIDTH")).toContainText(`${peer} has`);
  await expect(page.getByTestId("differing")).toContainText("1 setting differs");
  await page.getByText("All", { exact: true }).click();
  await expect(row("SLUICE_DRAIN_TIMEOUT")).toContainText(/25s.*default/s);
  expect(await page.content()).not.toContain(SECRET);
  await expectSoundLooks(page);
});

test("a webhook that was not accepted in time is not lost: an operator sends it again, and the log says who", async ({
  signedIn: page,
  dashboard,
  other,
}) => {
  await openPage(page, `${dashboard.origin}/webhooks`);
  await expect(page.getByRole("table", { name: "Waiting" })).toContainText("completed", SOON);
  await expect.poll(() => receiver.calls.length, SOON).toBeGreaterThan(0);
  // As if it had waited for days.
  for (const [position, fields] of await other.xrange("webhooks", "-", "+")) {
    await other
      .multi()
      .xadd("webhooks", "*", ...fields.with(fields.indexOf("at") + 1, "1"))
      .xdel("webhooks", position)
      .exec();
  }
  const dropped = page.getByRole("table", { name: "Not delivered" });
  const retry = dropped.getByRole("button", { name: /^Retry completed of/ });
  await expect(retry).toHaveCount(1, SOON);
  await expect(page.locator("[data-result=failed]").first()).toContainText("500");
  await expectSoundLooks(page);
  const [first] = receiver.calls;
  receiver.respond = () => 204;
  await retry.click();
  await expect(page.locator("[data-result=delivered]")).toHaveCount(1, SOON);
  expect(receiver.accepted().map(({ id, type }) => [id, type])).toEqual([[first?.id, "stream.completed"]]);
  await expect(dropped).toHaveCount(0);
  await openPage(page, `${dashboard.origin}/activity`);
  await expect(page.getByText("retry webhook").filter({ visible: true }).first()).toBeVisible();
});

test("the dashboard says how it is itself, also to a probe without a session, and while Redis is away", async ({
  signedIn: page,
  dashboard,
}) => {
  await openPage(page, `${dashboard.origin}/system`);
  const health = page.getByTestId("health");
  await expect(health).toContainText(/Redis answers in\s*\d+\.\d ms/);
  await expect(health).toContainText("not at all");
  await expect(page.getByRole("row").filter({ hasText: "SLUICE_WEB_PASSWORD" })).toContainText("set");
  expect(await (await fetch(`${dashboard.origin}/api/health`)).json()).toEqual({ status: "ok", redis: "ok" });
  const cookie = await signIn(dashboard.origin);
  const { data } = await query(dashboard.origin, "system.get", undefined, { cookie });
  expect(JSON.stringify(data)).not.toContain("correct horse");
  const lonely = await startDashboard("redis://127.0.0.1:1");
  try {
    const answer = await fetch(`${lonely.origin}/api/health`);
    expect([answer.status, await answer.json()]).toEqual([200, { status: "degraded", redis: "away" }]);
  } finally {
    await lonely.stop();
  }
});

/** What the contract allows a route, compressed. */
const MOST_SCRIPT_KIB = 200;

test("no route loads more than 200 KiB of JavaScript before it can be used", async ({ dashboard, other }) => {
  const cookie = await signIn(dashboard.origin);
  const [id = ""] = await other.zrange("streams:completed", "0", "0");
  const sizes = new Map<string, number>();
  const paths = ["/login", "/", "/streams", `/streams/${id}`, "/failed", "/orphans", "/sources", "/workers"];
  for (const path of [...paths, "/workers/browser-worker", "/webhooks", "/activity", "/system"]) {
    const html = await (await fetch(dashboard.origin + path, { headers: { cookie } })).text();
    // The scripts that the document itself names; polyfills for old browsers are loaded by none that is supported.
    const scripts = new Set(
      [...html.matchAll(/<script(?![^>]*nomodule)[^>]* src="([^"]+)"/gi)].map(([, src = ""]) => src),
    );
    for (const src of scripts) {
      if (sizes.has(src)) continue;
      const script = await (await fetch(dashboard.origin + src)).arrayBuffer();
      sizes.set(src, gzipSync(new Uint8Array(script)).length);
    }
    const kib = [...scripts].reduce((sum, src) => sum + (sizes.get(src) ?? 0), 0) / 1024;
    expect(kib, path).toBeGreaterThan(50);
    expect.soft(kib, path).toBeLessThanOrEqual(MOST_SCRIPT_KIB);
  }
});
