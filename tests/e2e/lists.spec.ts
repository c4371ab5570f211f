/** Finding a stream: search, filters, order, pages, all in the address; records written by others, with no worker running. */
import { seed } from "../../apps/web/scripts/seed.ts";
import { mutate, query, signIn } from "./support/api.ts";
import { until } from "./support/process.ts";
import { expect, openPage, test } from "./support/test.ts";

test.use({ world: "lists" });

test.describe.configure({ mode: "serial" });

test.beforeAll(async ({ redis }) => {
  await seed({ redisUrl: redis.url, streams: 320 });
});

test("every stream is found by path, key, id, upload id and ETag, in any letter case", async ({
  dashboard,
  other,
}) => {
  const cookie = await signIn(dashboard.origin);
  const [id = ""] = await other.zrange("streams:completed", "5", "5");
  const meta = await other.hgetall(`stream:${id}:meta`);
  for (const q of [meta.original_path, meta.s3_key, id.toUpperCase(), meta.etag]) {
    const { data } = await query(
      dashboard.origin,
      "streams.page",
      { filter: { view: "all", q } },
      { cookie },
    );
    expect(
      (data as { rows: { id: string }[] }).rows.map((row) => row.id),
      String(q),
    ).toContain(id);
  }
});

test("a search typed on any page lands on a list that says what it shows, and its address shows the same again", async ({
  signedIn: page,
  dashboard,
}) => {
  await openPage(page, dashboard.origin);
  await page.getByRole("searchbox", { name: /Search streams/ }).fill("roof 000015");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(`${dashboard.origin}/streams?q=roof%20000015`);
  const rows = page.getByRole("table", { name: "Streams" }).getByRole("row");
  await expect(rows).toHaveCount(2);
  await page.reload();
  await expect(rows.nth(1)).toContainText("000015.mkv");
});

test("filters narrow, land in the address, survive a reload, and go back with the browser", async ({
  signedIn: page,
  dashboard,
}) => {
  await openPage(page, `${dashboard.origin}/streams`);
  await page.getByRole("button", { name: /^Failed/ }).click();
  await expect(page).toHaveURL(/view=failed/);
  await page.getByLabel("Reason").selectOption("part_limit");
  await expect(page).toHaveURL(/reason=part_limit/);
  const table = page.getByRole("table", { name: "Streams" });
  await expect(table.getByRole("row").nth(1)).toContainText("part limit");
  await page.reload();
  await expect(page.getByLabel("Reason")).toHaveValue("part_limit");
  await expect(table.getByText("Completed")).toHaveCount(0);
  await page.goBack();
  await expect(page).not.toHaveURL(/reason=/);
});

test("a column sorts both ways, and says so", async ({ signedIn: page, dashboard }) => {
  await openPage(page, `${dashboard.origin}/streams?view=completed`);
  const heading = page.getByRole("columnheader", { name: "In S3" });
  await heading.getByRole("button").click();
  await expect(heading).toHaveAttribute("aria-sort", "descending");
  await expect(page).toHaveURL(/sort=size/);
  await heading.getByRole("button").click();
  await expect(heading).toHaveAttribute("aria-sort", "ascending");
});

test("pages go on where the last one ended, and back; a deep link opens the very page", async ({
  signedIn: page,
  dashboard,
}) => {
  await openPage(page, `${dashboard.origin}/streams`);
  const place = page.getByRole("region", { name: "List of streams" }).getByRole("status");
  await expect(place).toHaveText("1–100 of 320");
  await page.getByRole("button", { name: "Next" }).click();
  await expect(place).toHaveText("101–200 of 320");
  const second = page.url();
  await page.getByRole("button", { name: "Next" }).click();
  await expect(place).toHaveText("201–300 of 320");
  await page.getByRole("button", { name: "Previous" }).click();
  await expect(place).toHaveText("101–200 of 320");
  await page.goto(second);
  await expect(place).toHaveText("101–200 of 320");
});

test("only rows in sight are in the document, and each knows its place in the whole", async ({
  signedIn: page,
  dashboard,
}) => {
  await openPage(page, `${dashboard.origin}/streams`);
  const table = page.getByRole("table", { name: "Streams" });
  await expect(table).toHaveAttribute("aria-rowcount", "321");
  expect(await table.getByRole("row").count()).toBeLessThanOrEqual(60);
  await page.evaluate(() => window.scrollTo(0, document.body.scrollHeight));
  await expect(table.locator('[aria-rowindex="101"]')).toBeVisible();
  expect(await table.getByRole("row").count()).toBeLessThanOrEqual(60);
});

test("a record that changes in Redis changes on the page within two seconds, with no worker running", async ({
  signedIn: page,
  dashboard,
  redis,
  other,
}) => {
  const [id = ""] = await other.zrange("streams:active", "0", "0");
  await openPage(page, `${dashboard.origin}/streams/${id}`);
  // What a script of the worker does: the change and its event.
  await other
    .multi()
    .hset(`stream:${id}:meta`, "waiting_for", JSON.stringify({ for: "rename", suffix: ".part" }))
    .xadd("events", "*", "type", "state", "subject", id, "at", Date.now())
    .exec();
  await expect(page.getByTestId("why")).toContainText("the name still ends in .part", { timeout: 2_000 });
  expect(redis.url).toContain("127.0.0.1");
});

test("records of the founding phase, written without any event, are listed, opened and purgeable", async ({
  signedIn: page,
  dashboard,
  other,
}) => {
  const id = "legacy stream/7";
  const cookie = await signIn(dashboard.origin);
  await other
    .multi()
    .hset(`stream:${id}:meta`, {
      original_path: "/srv/old/tape.ts",
      s3_bucket: "recordings",
      s3_key_prefix: "old/",
      s3_upload_id: "u-7",
      status: "processing",
    })
    .hset(`stream:${id}:parts`, {
      1: JSON.stringify({ PartNumber: 1, ETag: '"abc"', Size: 5_242_880 }),
      2: JSON.stringify({ PartNumber: 2, ETag: '"def"', Size: 5_242_880 }),
    })
    .zadd("streams:active", Date.now(), id)
    .exec();
  await until("the record in the list", async () => {
    const { data } = await query(
      dashboard.origin,
      "streams.page",
      { filter: { view: "active", q: "tape.ts" } },
      { cookie },
    );
    return (data as { total: number }).total === 1 ? true : undefined;
  });
  await openPage(page, `${dashboard.origin}/streams?q=tape.ts`);
  await page.getByRole("link", { name: /tape\.ts/ }).click();
  await expect(page.getByTestId("why")).toContainText("early version");
  await expect(page.locator('[data-etag="2"]')).toHaveText("def");
  // Only its index says that it failed: the record is gone.
  await other
    .multi()
    .del(`stream:${id}:meta`)
    .zrem("streams:active", id)
    .zadd("streams:failed", Date.now(), id)
    .exec();
  const plan = await mutate(
    dashboard.origin,
    "actions.plan",
    { action: "purge", target: { ids: [id] } },
    { cookie },
  );
  expect(plan.status).toBe(200);
});

test("a stream that is gone says so, and a record that is none is shown as it is", async ({
  signedIn: page,
  dashboard,
  other,
}) => {
  await page.goto(`${dashboard.origin}/streams/nosuchstream`);
  await expect(page.getByText("Stream not found")).toBeVisible();
  await other
    .multi()
    .hset("stream:odd:meta", { status: "failed_corrupt_record", schema_version: "1" })
    .zadd("streams:failed", 1, "odd")
    .exec();
  await page.goto(`${dashboard.origin}/streams/odd`);
  await expect(page.getByRole("main")).toContainText("failed");
  await page.locator("summary", { hasText: "Raw record" }).click();
  await expect(page.getByLabel("raw record")).toContainText("failed_corrupt_record");
});

test("what completed longer than a day ago is pruned from the history, by plan, and nothing else", async ({
  signedIn: page,
  dashboard,
  other,
}) => {
  const old = await other.zrange("streams:completed", "0", "2");
  const kept = (await other.zcard("streams:completed")) - old.length;
  const before = Date.now() - 3 * 86_400_000;
  for (const id of old)
    await other
      .multi()
      .hset(`stream:${id}:meta`, "completed_at_utc", new Date(before).toISOString())
      .zadd("streams:completed", before, id)
      .xadd("events", "*", "type", "state", "subject", id, "at", String(Date.now()))
      .exec();
  await openPage(page, `${dashboard.origin}/activity`);
  await expect(async () => {
    // A plan made before the changes were heard of is left again.
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: /^Prune history/ }).click();
    await expect(page.getByRole("heading", { name: "Prune 3 completed streams from history" })).toBeVisible({
      timeout: 1_000,
    });
  }).toPass();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Prune" }).click();
  await expect(dialog.getByText("3 of 3 items pruned")).toBeVisible();
  for (const id of old) {
    expect(await other.exists(`stream:${id}:meta`, `stream:${id}:parts`, `stream:${id}:log`)).toBe(0);
    expect(await other.zscore("streams:completed", id)).toBeNull();
  }
  expect(await other.zcard("streams:completed")).toBe(kept);
});
