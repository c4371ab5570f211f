/** Yesterday's recording is found by time, source and words, and the list is saved as a file; the worker is the real one. */
import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { query, signIn } from "./support/api.ts";
import { expectSoundLooks } from "./support/looks.ts";
import { until } from "./support/process.ts";
import { startStack, type Stack } from "./support/stack.ts";
import { expect, openPage, test } from "./support/test.ts";

test.use({ world: "find" });

const DAY_MS = 86_400_000;
const NAMES = ["today.mkv", "yesterday.mkv", '=evil(),"x".mkv'];

let stack: Stack;

test.beforeAll(async ({ redis, other }) => {
  stack = await startStack(redis.url);
  await stack.start();
  for (const name of NAMES) {
    const path = join(stack.inbox, name);
    await writeFile(path, randomBytes(1_000));
    await writeFile(`${path}.done`, "");
  }
  await until("their completion", async () =>
    (await other.zcard("streams:completed")) === NAMES.length ? true : undefined,
  );
  // As if it had been recorded a day ago: the same fields, the same form.
  const id = await idOf("yesterday.mkv");
  const fields = ["started_at_utc", "completed_at_utc"] as const;
  for (const field of fields) {
    const at = Date.parse((await other.hget(`stream:${id}:meta`, field)) ?? "");
    await other.hset(`stream:${id}:meta`, field, new Date(at - DAY_MS).toISOString());
  }
  await other.xadd("events", "*", "type", "state", "subject", id, "at", Date.now());

  async function idOf(name: string): Promise<string> {
    const entry = await other.hget("files:done", `browser-tests:${join(stack.inbox, name)}`);
    return (JSON.parse(entry ?? "{}") as { stream_id: string }).stream_id;
  }
});
test.afterAll(() => stack.stop());

function rows(page: Page) {
  return page.getByRole("table", { name: "Streams" }).getByRole("row");
}

test("yesterday's recording is found in two choices, and the address is the answer", async ({
  signedIn: page,
  dashboard,
}) => {
  await openPage(page, `${dashboard.origin}/streams`);
  await expect(rows(page)).toHaveCount(1 + NAMES.length);
  await page.getByRole("combobox", { name: /^Time/ }).selectOption("yesterday");
  await page.getByText("Completed", { exact: true }).and(page.locator("label")).click();
  await expect(rows(page)).toHaveCount(2);
  await expect(rows(page).nth(1)).toContainText("yesterday.mkv");
  await expect(page).toHaveURL(/when=yesterday/);
  await expect(page).toHaveURL(/time=completed/);
  await page.reload();
  await expect(rows(page)).toHaveCount(2);

  await page.getByRole("combobox", { name: /^Time/ }).selectOption("today");
  await expect(rows(page)).toHaveCount(NAMES.length);
  await page.getByText("Failed", { exact: true }).and(page.locator("label")).click();
  await expect(page.getByText("No stream matches")).toBeVisible();
  await page.getByText("Started", { exact: true }).and(page.locator("label")).click();
  await page.getByRole("combobox", { name: /^Source/ }).selectOption("browser-tests");
  await expect(rows(page)).toHaveCount(NAMES.length);

  await page.getByRole("combobox", { name: /^Time/ }).selectOption("days");
  const day = new Date(Date.now() - DAY_MS);
  const local = new Date(day.getTime() - day.getTimezoneOffset() * 60_000).toISOString().slice(0, 10);
  await page.getByLabel("from", { exact: true }).fill(local);
  await page.getByLabel("to", { exact: true }).fill(local);
  await expect(rows(page)).toHaveCount(2);
  await expectSoundLooks(page);
  await page.getByRole("button", { name: "Clear filters" }).click();
  await expect(rows(page)).toHaveCount(1 + NAMES.length);
  await expect(page).toHaveURL(/\/streams$/);
});

test("the one search narrows the list that is shown, and starts a new one from any other page", async ({
  signedIn: page,
  dashboard,
}) => {
  await openPage(page, `${dashboard.origin}/streams?view=completed&when=today`);
  const search = page.getByRole("searchbox");
  await expect(search).toHaveCount(1);
  await search.fill("today");
  await search.press("Enter");
  await expect(rows(page)).toHaveCount(2);
  await expect(page).toHaveURL(/view=completed&when=today&q=today/);
  await page.reload();
  await expect(search).toHaveValue("today");
  await page.goto(`${dashboard.origin}/workers`);
  await search.fill("yesterday");
  await search.press("Enter");
  await expect(page).toHaveURL(/\/streams\?q=yesterday$/);
  await expect(rows(page)).toHaveCount(2);
});

test("the list is saved as it is filtered, and no cell is a formula", async ({
  signedIn: page,
  dashboard,
}) => {
  await openPage(page, `${dashboard.origin}/streams?q=mkv`);
  const save = async (name: string): Promise<string> => {
    const [file] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name, exact: true }).click(),
    ]);
    return readFile(await file.path(), "utf8");
  };
  const ndjson = (await save("NDJSON")).trimEnd().split("\n");
  const paths = ndjson.map((line) => (JSON.parse(line) as { original_path: string }).original_path);
  expect(paths.toSorted()).toEqual(NAMES.map((name) => join(stack.inbox, name)).toSorted());
  const csv = await save("CSV");
  expect(csv.trimEnd().split("\r\n")).toHaveLength(1 + NAMES.length);
  expect(csv).toContain('"x"".mkv"');
  expect(csv).not.toMatch(/(?:^|,)"?[=+@-]/m);
});

test("a list of thousands is saved piece by piece, each stream once", async ({ dashboard, other }) => {
  const many = 2_500;
  const pipeline = other.pipeline();
  for (let at = 0; at < many; at += 1) {
    const id = `01many${String(at).padStart(6, "0")}`;
    const started = new Date(Date.now() - 3 * DAY_MS - (at % 700) * 1_000).toISOString();
    pipeline.hset(`stream:${id}:meta`, {
      status: "completed",
      original_path: `/many/${at}`,
      started_at_utc: started,
    });
    pipeline.zadd("streams:completed", at, id);
  }
  await pipeline.exec();
  const cookie = await signIn(dashboard.origin);
  const filter = { view: "completed", q: "/many/" };
  await until("all of them in the list", async () => {
    const { data } = await query(dashboard.origin, "streams.page", { filter }, { cookie });
    return (data as { total: number }).total === many ? true : undefined;
  });
  const seen: string[] = [];
  for (let after: string | undefined; ;) {
    const input = { filter, format: "ndjson", ...(after === undefined ? {} : { after }) };
    const { data } = await query(dashboard.origin, "streams.exportedRows", input, { cookie });
    const { text, rows: count, next } = data as { text: string; rows: number; next: string | null };
    const lines = text.trimEnd().split("\n");
    expect(lines).toHaveLength(count);
    expect(count).toBeLessThanOrEqual(1_000);
    seen.push(...lines.map((line) => (JSON.parse(line) as { id: string }).id));
    if (next === null) break;
    after = next;
  }
  expect(seen).toHaveLength(many);
  expect(new Set(seen).size).toBe(many);
});
