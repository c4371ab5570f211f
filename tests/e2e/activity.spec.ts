/** Who did what to which: by name, also of what no longer exists; filtered by an address that another person can open. */
import { seed } from "../../apps/web/scripts/seed.ts";
import { mutate, query, signIn } from "./support/api.ts";
import { PASSWORD } from "./support/dashboard.ts";
import { until } from "./support/process.ts";
import { expect, openPage, test } from "./support/test.ts";

test.use({ world: "activity" });
test.describe.configure({ mode: "serial" });

let purged = "";
let key = "";

test.beforeAll(async ({ dashboard: { origin }, redis, other }) => {
  await seed({ redisUrl: redis.url, streams: 6, onlyFailed: true });
  [purged = ""] = await other.zrange("streams:failed", "0", "0");
  key = (await other.hget(`stream:${purged}:meta`, "s3_key")) ?? "";
  const cookie = await signIn(origin, PASSWORD, "Ada Lovelace");
  const { data } = await mutate(
    origin,
    "actions.plan",
    { action: "purge", target: { ids: [purged] } },
    { cookie },
  );
  const { token, typed } = data as { token: string; typed: string | null };
  await mutate(
    origin,
    "actions.execute",
    { token, typed: typed ?? "", reason: "no longer needed" },
    { cookie },
  );
  await until("the purge", async () =>
    (await other.exists(`stream:${purged}:meta`)) === 0 ? true : undefined,
  );
});

test("the name given at sign-in is kept in the session and in the log, and asked for once", async ({
  page,
  dashboard: { origin },
}) => {
  await page.goto(`${origin}/login`);
  await page.getByLabel("Your name").fill("Grace Hopper");
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page).toHaveURL(`${origin}/`);
  await openPage(page, `${origin}/activity?kind=sign_ins`);
  const log = page.getByRole("table", { name: "Activity" });
  await expect(log.getByRole("row").nth(1)).toContainText("Grace Hopper");
  await page.getByRole("button", { name: "Preferences and account" }).click();
  await expect(page.getByRole("dialog", { name: "Preferences and account" })).toContainText("Grace Hopper");
  await page.goto(`${origin}/login`);
  await expect(page.getByLabel("Your name")).toHaveValue("Grace Hopper");
});

test("an entry names what was purged, with key, bytes, parts and result", async ({
  signedIn: page,
  dashboard: { origin },
}) => {
  await openPage(page, `${origin}/activity`);
  const row = page.getByRole("table", { name: "Activity" }).getByRole("row").nth(1);
  await expect(row).toContainText("Ada Lovelace");
  await expect(row).toContainText(key);
  await expect(row).toContainText(/ \d+ parts? · done/);
  await expect(row).toContainText("no longer needed");
  await expect(page.getByText("Sign in", { exact: true })).toHaveCount(0);
});

test("actor, action and time narrow it, and the address shows the same again", async ({
  signedIn: page,
  dashboard: { origin },
}) => {
  const log = page.getByRole("table", { name: "Activity" });
  await openPage(page, `${origin}/activity`);
  await page.getByRole("combobox", { name: "Who" }).selectOption("Ada Lovelace");
  await page.getByRole("combobox", { name: "Action" }).selectOption("purge");
  await page.getByRole("combobox", { name: "Time" }).selectOption("today");
  await expect(page).toHaveURL(/who=Ada.Lovelace/);
  await page.reload();
  await expect(log.getByRole("row")).toHaveCount(3);
  await page.getByRole("combobox", { name: "Time" }).selectOption("yesterday");
  await expect(page.getByText("No entry matches")).toBeVisible();
});

test("a link to a stream that was purged shows what was known of it", async ({
  signedIn: page,
  dashboard: { origin },
}) => {
  await openPage(page, `${origin}/activity`);
  await page.getByRole("table", { name: "Activity" }).getByRole("link", { name: /mkv/ }).first().click();
  await expect(page.getByText("Stream not found")).toBeVisible();
  const known = page.getByRole("table", { name: "What was done with it" });
  await expect(known).toContainText(key);
  await expect(known).toContainText("Ada Lovelace");
});

test("the results of a plan are in the log when the plan itself has expired", async ({
  signedIn: page,
  dashboard: { origin },
  other,
}) => {
  const cookie = await signIn(origin);
  const { data } = await query(origin, "activity.page", { kind: "actions" }, { cookie });
  const plan = (data as { entries: { plan?: string }[] }).entries[0]?.plan ?? "";
  await other.del(`plan:${plan}`);
  await openPage(page, `${origin}/activity/${plan}`);
  await expect(page.getByRole("table", { name: "In the activity log" })).toContainText(key);
});
