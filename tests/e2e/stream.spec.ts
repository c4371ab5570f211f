/** One stream's page: the part map from 1 to 10,000 parts, the table behind it, exports, and what can be done when. */
import { readFile } from "node:fs/promises";
import { seed } from "../../apps/web/scripts/seed.ts";
import { expect, openPage, test } from "./support/test.ts";

test.use({ world: "stream" });

let large = "";

test.beforeAll(async ({ redis }) => {
  const ids = await seed({ redisUrl: redis.url, streams: 40, parts: 10_000 });
  large = ids.at(-1) ?? "";
});

test("10,000 parts are five paths, a text, a slider and a table of a few rows", async ({
  signedIn: page,
  dashboard,
  other,
}) => {
  await openPage(page, `${dashboard.origin}/streams/${large}`);
  const map = page.getByRole("slider", { name: "Parts of the stream" });
  await expect(map).toHaveAttribute("aria-valuemax", "10000");
  await expect(map.locator("path")).toHaveCount(5);
  await page.locator("summary", { hasText: "The map as text" }).click();
  await expect(page.getByRole("list", { name: "The part map as text" })).toContainText(
    "Parts 9961 to 9964: in flight",
  );
  const table = page.getByRole("table", { name: "Parts" });
  await expect(table).toHaveAttribute("aria-rowcount", "10001");
  expect(await table.getByRole("row").count()).toBeLessThanOrEqual(60);
  await map.focus();
  await page.keyboard.press("End");
  await expect(map).toHaveAttribute("aria-valuetext", /^Part 10000, .*: tail, on local disk only/);
  await page.keyboard.press("Home");
  await page.keyboard.press("PageDown");
  await page.keyboard.press("ArrowRight");
  await expect(map).toHaveAttribute("aria-valuenow", "102");
  const recorded = JSON.parse((await other.hget(`stream:${large}:parts`, "102")) ?? "{}") as { ETag: string };
  await expect(table.locator('[data-etag="102"]')).toHaveText(recorded.ETag);
});

test("the parts download as CSV and JSON, every one of them as it stands in Redis", async ({
  signedIn: page,
  dashboard,
  other,
}) => {
  await openPage(page, `${dashboard.origin}/streams/${large}`);
  const recorded = await other.hgetall(`stream:${large}:parts`);
  const downloads = { csv: "", json: "" };
  for (const format of ["csv", "json"] as const) {
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: format.toUpperCase(), exact: true }).click(),
    ]);
    expect(download.suggestedFilename()).toBe(`long-capture.raw.parts.${format}`);
    downloads[format] = await readFile(await download.path(), "utf8");
  }
  const parts = JSON.parse(downloads.json) as { PartNumber: number }[];
  expect(parts).toHaveLength(Object.keys(recorded).length);
  for (const part of parts) expect(part).toEqual(JSON.parse(recorded[part.PartNumber] ?? "{}"));
  const lines = downloads.csv.trim().split("\r\n");
  expect(lines[0]).toBe("PartNumber,Offset,Size,ETag,ChecksumCRC32,Attempts,DurationMs,UploadedAt");
  expect(lines).toHaveLength(parts.length + 1);
});

test("buttons follow the state, and a disabled one says why", async ({
  signedIn: page,
  dashboard,
  other,
}) => {
  const expected = {
    "streams:active": {
      "Finalize now": undefined,
      Retry: /only failed/,
      Abort: undefined,
      Purge: /only failed/,
    },
    "streams:completed": {
      "Finalize now": /complete already/,
      Retry: /only failed/,
      Abort: /not live/,
      Purge: /only failed/,
    },
    "streams:pending_completion": {
      "Finalize now": /being completed/,
      Retry: /only failed/,
      Abort: undefined,
      Purge: /only failed/,
    },
  };
  for (const [index, buttons] of Object.entries(expected)) {
    const [id = ""] = await other.zrange(index, "0", "0");
    await openPage(page, `${dashboard.origin}/streams/${id}`);
    for (const [name, why] of Object.entries(buttons)) {
      const button = page.getByRole("button", { name: new RegExp(`^${name}`) });
      if (why === undefined) await expect(button, `${index} ${name}`).not.toHaveAttribute("aria-disabled");
      else await expect(button, `${index} ${name}`).toHaveAttribute("title", why);
    }
  }
});

test("the metadata document and the raw record open as text to read and copy", async ({
  signedIn: page,
  dashboard,
  other,
  context,
}) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const [id = ""] = await other.zrange("streams:completed", "0", "0");
  await openPage(page, `${dashboard.origin}/streams/${id}`);
  await page.locator("summary", { hasText: "Metadata document" }).click();
  await expect(page.getByLabel("metadata document")).toContainText('"format": "sluice/metadata/1"');
  await page.getByRole("button", { name: "Copy stream id" }).click();
  await expect(page.getByRole("button", { name: "Copied" })).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(id);
});

test("times are relative, local or UTC as chosen, exact in the title, and the choice stays", async ({
  signedIn: page,
  dashboard,
  other,
}) => {
  const [id = ""] = await other.zrange("streams:completed", "0", "0");
  await openPage(page, `${dashboard.origin}/streams/${id}`);
  const facts = page.getByRole("region", { name: "Facts" });
  await expect(facts.locator("time").first()).toHaveText(/ago$/);
  await page.getByRole("button", { name: "Preferences and account" }).click();
  await page.getByText("UTC", { exact: true }).click();
  await expect(facts.locator("time").first()).toHaveText(/^(\d{4}-\d\d-\d\d\s)?\d\d:\d\d:\d\d\sUTC$/);
  await page.reload();
  await expect(facts.locator("time").first()).toHaveText(/UTC$/);
});
