/**
 * The core of it again where most installations begin: plain HTTP under a host name that is not localhost. No Web Locks, no
 * clipboard API, no Secure cookie; the page, its live feed and its actions are the same.
 */
import { randomBytes } from "node:crypto";
import { appendFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { seed } from "../../apps/web/scripts/seed.ts";
import { mutate, query, signIn } from "./support/api.ts";
import { until } from "./support/process.ts";
import { PART, startStack, type Stack } from "./support/stack.ts";
import { expect, signInAt, test } from "./support/test.ts";

test.use({ world: "plain-http" });
test.describe.configure({ mode: "serial" });

let stack: Stack;

test.beforeAll(async ({ redis }) => {
  stack = await startStack(redis.url);
  await stack.start();
});
test.afterAll(() => stack.stop());

/** Chromium takes this name for 127.0.0.1 (playwright.config.ts), and does not trust it as it trusts localhost. */
async function enter(page: Page, port: number): Promise<string> {
  const origin = `http://sluice.test:${port}`;
  await signInAt(page, origin);
  expect(await page.evaluate(() => [isSecureContext, "locks" in navigator])).toEqual([false, false]);
  return origin;
}

test("a file is watched to completion live, and its parts carry S3's ETags", async ({
  page,
  dashboard,
  other,
}) => {
  const origin = await enter(page, dashboard.port);
  const path = join(stack.inbox, "field.mkv");
  await writeFile(path, randomBytes(PART + 10));
  const id = await until(
    "the stream",
    async () => (await other.hget("streams:by_path", `browser-tests:${path}`)) ?? undefined,
  );
  await page.goto(`${origin}/streams/${id}`);
  await expect(page.locator("[data-live=Live]")).toBeVisible();
  await appendFile(path, randomBytes(PART));
  await expect(page.locator('[data-etag="2"]')).toBeVisible();
  const listed = await stack.listParts(
    "field.mkv",
    (await other.hget(`stream:${id}:meta`, "s3_upload_id")) ?? "",
  );
  for (const n of [1, 2])
    await expect(page.locator(`[data-etag="${n}"]`)).toHaveText(listed.get(n) ?? "missing");
  await page.getByRole("button", { name: "Copy ETag of part 1" }).click();
  await expect(page.getByRole("button", { name: "Copied" })).toBeVisible();
  await writeFile(`${path}.done`, "");
  await expect(page.getByTestId("why")).toContainText("a marker file said so");
  expect((await stack.bucket.head("field.mkv")).status).toBe(200);
});

test("an abort reaches S3, a retry brings the file back to work", async ({ page, dashboard, other }) => {
  const origin = await enter(page, dashboard.port);
  const path = join(stack.inbox, "second.mkv");
  await writeFile(path, randomBytes(PART + 1));
  const id = await until(
    "the stream",
    async () => (await other.hget("streams:by_path", `browser-tests:${path}`)) ?? undefined,
  );
  await until("a part", async () => ((await other.hlen(`stream:${id}:parts`)) > 0 ? true : undefined));
  await page.goto(`${origin}/streams/${id}`);
  await page.getByRole("button", { name: /^Abort/ }).click();
  const dialog = page.getByRole("dialog", { name: "Abort 1 stream" });
  await dialog.getByLabel(/Type abort/).fill("abort");
  await dialog.getByRole("button", { name: "Abort" }).click();
  await expect(dialog.getByText("1 of 1 item aborted")).toBeVisible();
  await until("no open upload", async () =>
    (await stack.bucket.openUploads("second")).length === 0 ? true : undefined,
  );
  await dialog.getByRole("button", { name: "Close" }).last().click();
  await page.getByRole("button", { name: /^Retry/ }).click();
  const retry = page.getByRole("dialog", { name: "Retry 1 failed stream" });
  await retry.getByRole("button", { name: "Retry" }).click();
  await expect(retry.getByText("1 of 1 item retried")).toBeVisible();
  await until("its upload", async () =>
    (await stack.bucket.openUploads("second")).length === 1 ? true : undefined,
  );
});

test("a search, a filter and a purge work, and the session ends where it is ended", async ({
  page,
  dashboard,
  redis,
  other,
}) => {
  const [id = ""] = await seed({ redisUrl: redis.url, streams: 3, onlyFailed: true, from: 500_000 });
  const origin = await enter(page, dashboard.port);
  await page.getByRole("searchbox", { name: /Search streams/ }).fill(id);
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(`${origin}/streams?q=${id}`);
  await page.getByRole("table", { name: "Streams" }).getByRole("link").click();
  await page.getByRole("button", { name: /^Purge/ }).click();
  const dialog = page.getByRole("dialog", { name: "Purge 1 failed stream" });
  await dialog.getByLabel(/Type purge/).fill("purge");
  await dialog.getByRole("button", { name: /^Purge/ }).click();
  await expect(dialog.getByText("1 of 1 item purged")).toBeVisible();
  expect(await other.exists(`stream:${id}:meta`)).toBe(0);
  await dialog.getByRole("button", { name: "Close" }).last().click();
  await page.getByRole("button", { name: "Preferences and account" }).click();
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page).toHaveURL(/\/login$/);
});

test("another name for the same address is another origin: it is refused with a valid session", async ({
  dashboard,
}) => {
  const cookie = await signIn(dashboard.origin);
  const origin = `http://sluice.test:${dashboard.port}`;
  for (const path of ["session.logout", "actions.planPrune"])
    expect((await mutate(dashboard.origin, path, {}, { cookie, origin })).code).toBe("FORBIDDEN");
  expect((await query(dashboard.origin, "overview.get", undefined, { cookie, origin })).code).toBe(
    "FORBIDDEN",
  );
});
