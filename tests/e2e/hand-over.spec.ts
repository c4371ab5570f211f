/** A finished object for others: its names, a link to the store's console, and a download that the worker signs. */
import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { query, mutate, signIn } from "./support/api.ts";
import { startDashboard } from "./support/dashboard.ts";
import { expectSoundLooks } from "./support/looks.ts";
import { until } from "./support/process.ts";
import { startStack, type Stack } from "./support/stack.ts";
import { expect, openPage, test } from "./support/test.ts";

test.use({ world: "hand-over" });

let stack: Stack;

test.beforeAll(async ({ redis }) => {
  stack = await startStack(redis.url);
  await stack.start();
});
test.afterAll(() => stack.stop());

test("an operator copies the names of an object, follows it to the console, and downloads it in two clicks", async ({
  page,
  redis,
  other,
}) => {
  const console = { SLUICE_WEB_CONSOLE_URL: "https://console.example.com/browse/{bucket}?key={key}" };
  const dashboard = await startDashboard(redis.url, console);
  const path = join(stack.inbox, "take 1.mkv");
  await writeFile(path, randomBytes(100_000));
  await writeFile(`${path}.done`, "");
  const entry = await until(
    "its completion",
    async () => (await other.hget("files:done", `browser-tests:${path}`)) ?? undefined,
  );
  const { stream_id: id } = JSON.parse(entry) as { stream_id: string };
  const [name = "", value = ""] = (await signIn(dashboard.origin, undefined, "ann")).split("=");
  await page.context().addCookies([{ name, value, url: dashboard.origin }]);
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await openPage(page, `${dashboard.origin}/streams/${id}`);
  const card = page.getByRole("region", { name: "Hand over" });
  await card.getByRole("button", { name: "Copy S3 URI" }).click();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe("s3://recordings/take 1.mkv");
  await card.getByRole("button", { name: "Copy address" }).click();
  const address = await page.evaluate(() => navigator.clipboard.readText());
  expect(address).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/recordings\/take%201\.mkv$/);
  // The address alone opens nothing.
  expect((await fetch(address)).status).toBe(403);
  await expect(card.getByRole("link", { name: "In the store's console" })).toHaveAttribute(
    "href",
    "https://console.example.com/browse/recordings?key=take%201.mkv",
  );

  await card.getByRole("button", { name: "Download" }).click();
  const now = card.getByRole("link", { name: "Download now" });
  await expect(now).toBeVisible();
  await expectSoundLooks(page);
  const [download] = await Promise.all([page.waitForEvent("download"), now.click()]);
  expect(download.suggestedFilename()).toBe("take 1.mkv");
  expect(await readFile(await download.path())).toEqual(await readFile(path));

  // Everybody sees that it was asked for, and nobody else gets the address.
  const signature = new URL(download.url()).searchParams.get("X-Amz-Signature") ?? "none";
  const [request = ""] = (await other.keys("request:*")).map((key) => key.slice("request:".length));
  const cookie = await signIn(dashboard.origin, undefined, "bob");
  const seen = await query(dashboard.origin, "requests.get", { id: request }, { cookie });
  expect(seen.data).toMatchObject({ action: "download", results: { [id]: { result: "done" } } });
  expect(JSON.stringify(seen.data)).not.toContain(signature);
  const asked = await query(dashboard.origin, "streams.downloadAddress", { id, request }, { cookie });
  expect(asked.code).toBe("NOT_FOUND");
  const activity = await query(dashboard.origin, "activity.page", { action: "download" }, { cookie });
  expect(JSON.stringify(activity.data)).toContain('"who":"ann"');
  expect(JSON.stringify(activity.data)).not.toContain(signature);
  expect(dashboard.running.output()).not.toContain(signature);

  // A script that was written into Redis is no address.
  await other.hset(
    `request:${request}`,
    `item:${id}`,
    JSON.stringify({
      result: "done",
      data: { url: "javascript:alert(1)", expires_at_utc: new Date(Date.now() + 60_000).toISOString() },
      worker: "x",
      at_utc: new Date().toISOString(),
    }),
  );
  const ann = `${name}=${value}`;
  const forged = await query(dashboard.origin, "streams.downloadAddress", { id, request }, { cookie: ann });
  expect(forged.data).toMatchObject({ kind: "refused" });
  await dashboard.stop();
});

test("what is not finished, and who may only look, get no download", async ({ redis, dashboard, other }) => {
  const path = join(stack.inbox, "growing.mkv");
  await writeFile(path, randomBytes(1_000));
  const id = await until("its stream", async () => (await other.zrange("streams:active", "0", "0"))[0]);
  const cookie = await signIn(dashboard.origin);
  const growing = await mutate(dashboard.origin, "streams.download", { id }, { cookie });
  expect(growing.code).toBe("PRECONDITION_FAILED");
  const readOnly = await startDashboard(redis.url, { SLUICE_WEB_READ_ONLY: "true" });
  const viewer = await signIn(readOnly.origin);
  const refused = await mutate(readOnly.origin, "streams.download", { id }, { cookie: viewer });
  expect(refused.code).toBe("METHOD_NOT_SUPPORTED");
  await readOnly.stop();
});
