/** Clean-up with every worker dead: one, a filter, all; exactly the plan, once, audited, and read back from Redis by another client. */
import type { Redis } from "ioredis";
import { FAILURE_REASONS } from "../../packages/core/src/stream/failures.ts";
import { seed } from "../../apps/web/scripts/seed.ts";
import { mutate, query, signIn } from "./support/api.ts";
import { until } from "./support/process.ts";
import { expect, openPage, test } from "./support/test.ts";

test.use({ world: "purge" });

test.describe.configure({ mode: "serial" });

let ids: string[] = [];

/** Its file is there: its upload is no only copy, which a purge would keep. */
const PRESENT = FAILURE_REASONS.indexOf("access_denied");

test.beforeAll(async ({ redis }) => {
  ids = await seed({ redisUrl: redis.url, streams: 300, onlyFailed: true });
});

async function recordsOf(other: Redis, id: string): Promise<number> {
  return other.exists(`stream:${id}:meta`, `stream:${id}:parts`, `stream:${id}:log`);
}

test("one stream: planned, typed, purged; its upload left to a worker, its file marked, its paths free", async ({
  signedIn: page,
  dashboard,
  other,
}) => {
  const id = ids[PRESENT] ?? "";
  const meta = await other.hgetall(`stream:${id}:meta`);
  await openPage(page, `${dashboard.origin}/streams/${id}`);
  await page.getByRole("button", { name: /^Purge/ }).click();
  const dialog = page.getByRole("dialog", { name: "Purge 1 failed stream" });
  await expect(dialog.getByText("Files on disk are never touched")).toBeVisible();
  await expect(dialog.getByRole("button", { name: "Cancel" })).toBeFocused();
  const confirm = dialog.getByRole("button", { name: /^Purge/ });
  await expect(confirm).toHaveAttribute("aria-disabled", "true");
  // Playwright waits for a button to be enabled; a person does not.
  await confirm.click({ force: true });
  expect(await other.zscore("streams:failed", id)).not.toBeNull();
  await dialog.getByLabel(/Type purge/).fill("purge");
  await dialog.getByLabel(/Reason/).fill("seen, not needed");
  // Two presses are one action.
  await confirm.dblclick();
  await expect(dialog.getByText("1 of 1 item purged")).toBeVisible();
  expect(await recordsOf(other, id)).toBe(0);
  expect(await other.zscore("streams:failed", id)).toBeNull();
  expect(await other.hexists("uploads:to_abort", meta.s3_upload_id ?? "")).toBe(1);
  const mark = JSON.parse(
    (await other.hget("files:ignored", `${meta.source}:${meta.original_path}`)) ?? "{}",
  ) as Record<string, string>;
  expect(mark).toMatchObject({ stream_id: id, who: "operator", reason: "seen, not needed" });
  expect(await other.hexists("streams:by_path", `${meta.source}:${meta.original_path}`)).toBe(0);
  await dialog.getByRole("button", { name: "Close" }).last().click();
  await openPage(page, `${dashboard.origin}/activity`);
  const entries = page.getByRole("region", { name: "Activity log" });
  // That it was begun, and what came of it: of one purge, whatever was pressed.
  await expect(entries.getByText("seen, not needed")).toHaveCount(2);
  await entries.getByRole("link", { name: "each result" }).first().click();
  await expect(page.getByText("1 of 1 item purged")).toBeVisible();
});

test("a filter purges what it showed and nothing else; what failed meanwhile survives; uploads are kept when asked", async ({
  signedIn: page,
  dashboard,
  other,
  redis,
}) => {
  const wanted = await idsWith(other, "failed_access_denied");
  const uploads = await other.hlen("uploads:to_abort");
  await openPage(page, `${dashboard.origin}/failed?reason=access_denied`);
  const group = page.getByRole("region", { name: /Access denied/i });
  await group.getByRole("button", { name: /Purge/ }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByRole("heading")).toHaveText(`Purge ${wanted.length} failed streams`);
  await dialog.getByText("Keep them").click();
  // Between plan and execution another stream fails with the same reason.
  const from = 5_000 * FAILURE_REASONS.length + PRESENT;
  const [late = ""] = await seed({ redisUrl: redis.url, streams: 1, onlyFailed: true, from });
  expect(await other.hget(`stream:${late}:meta`, "status")).toBe("failed_access_denied");
  await expect(dialog.getByRole("heading")).toHaveText(`Purge ${wanted.length} failed streams`);
  await dialog.getByRole("button", { name: /^Purge/ }).click();
  await expect(dialog.getByText(`${wanted.length} of ${wanted.length} items purged`)).toBeVisible();
  for (const id of wanted) expect(await recordsOf(other, id)).toBe(0);
  expect(await recordsOf(other, late)).toBeGreaterThan(0);
  expect(await other.hlen("uploads:to_abort")).toBe(uploads);
});

test("a stream that changed after it was planned is refused, the rest is done, and each result says so", async ({
  dashboard,
  other,
}) => {
  const cookie = await signIn(dashboard.origin);
  const chosen = (await other.zrange("streams:failed", "0", "2")).slice(0, 3);
  const plan = await mutate(
    dashboard.origin,
    "actions.plan",
    { action: "purge", target: { ids: chosen }, upload: "keep" },
    { cookie },
  );
  const { token } = plan.data as { token: string };
  const changed = chosen[1] ?? "";
  await other.hincrby(`stream:${changed}:meta`, "revision", 1);
  await mutate(dashboard.origin, "actions.execute", { token }, { cookie });
  const finished = await until("the purge", async () => {
    const { data } = await query(dashboard.origin, "actions.progress", { token }, { cookie });
    const progress = data as {
      state: string;
      done: number;
      refused: number;
      results: { id: string; result: string; detail?: string }[];
    };
    return progress.state === "finished" ? progress : undefined;
  });
  expect(finished).toMatchObject({ done: 2, refused: 1 });
  expect(finished.results.find(({ id }) => id === changed)).toMatchObject({
    result: "refused",
    detail: expect.stringContaining("changed"),
  });
  expect(await recordsOf(other, changed)).toBeGreaterThan(0);
});

test("a plan runs once: executed again it does nothing more, expired or unknown it is refused", async ({
  dashboard,
  other,
}) => {
  const cookie = await signIn(dashboard.origin);
  const [id = ""] = await other.zrange("streams:failed", "0", "0");
  const plan = await mutate(
    dashboard.origin,
    "actions.plan",
    { action: "purge", target: { ids: [id] }, upload: "keep" },
    { cookie },
  );
  const { token } = plan.data as { token: string };
  const audited = await other.xlen("audit");
  await Promise.all([1, 2, 3].map(() => mutate(dashboard.origin, "actions.execute", { token }, { cookie })));
  await until("the purge", async () => ((await recordsOf(other, id)) === 0 ? true : undefined));
  await mutate(dashboard.origin, "actions.execute", { token }, { cookie });
  await until("its audit entries: begun, and what came of it", async () =>
    (await other.xlen("audit")) === audited + 2 ? true : undefined,
  );
  const unknown = await mutate(
    dashboard.origin,
    "actions.execute",
    { token: crypto.randomUUID() },
    { cookie },
  );
  expect(unknown.code).toBe("NOT_FOUND");
});

test("X3: all failed: the number is typed, every planned one goes, completed streams stay", async ({
  signedIn: page,
  dashboard,
  other,
}) => {
  const superseded = await countSuperseded(other);
  const all = (await other.zcard("streams:failed")) - superseded;
  expect(all).toBeGreaterThan(150);
  await openPage(page, `${dashboard.origin}/failed`);
  await page.getByRole("button", { name: /Purge all failed/ }).click();
  const dialog = page.getByRole("dialog", { name: `Purge ${all} failed streams` });
  await dialog.getByLabel(/^Type/).fill(String(all - 1));
  await expect(dialog.getByRole("button", { name: /^Purge/ })).toHaveAttribute("aria-disabled", "true");
  await dialog.getByLabel(/^Type/).fill(String(all));
  await dialog.getByRole("button", { name: /^Purge/ }).click();
  await expect(dialog.getByText(`${all} of ${all} items purged`)).toBeVisible();
  expect(await other.zcard("streams:failed")).toBe(superseded);
  await dialog.getByRole("button", { name: "Close" }).last().click();
  await expect(page.getByText("0 streams that cannot continue without help")).toBeVisible();
});

test("the whole purge goes by keyboard", async ({ signedIn: page, dashboard, redis, other }) => {
  const [id = ""] = await seed({
    redisUrl: redis.url,
    streams: 1,
    onlyFailed: true,
    from: 5_001 * FAILURE_REASONS.length + PRESENT,
  });
  await openPage(page, `${dashboard.origin}/streams/${id}`);
  await page.getByRole("button", { name: /^Purge/ }).focus();
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByRole("button", { name: "Cancel" })).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(dialog).toHaveCount(0);
  expect(await recordsOf(other, id)).toBeGreaterThan(0);
  await page.getByRole("button", { name: /^Purge/ }).focus();
  await page.keyboard.press("Enter");
  await expect(dialog.getByRole("button", { name: "Cancel" })).toBeFocused();
  await page.keyboard.press("Shift+Tab");
  await page.keyboard.type("purge");
  await page.keyboard.press("Enter");
  await expect(dialog.getByText("1 of 1 item purged")).toBeVisible();
  expect(await recordsOf(other, id)).toBe(0);
});

async function idsWith(other: Redis, status: string): Promise<string[]> {
  const all = await other.zrange("streams:failed", "0", "-1");
  const statuses = await Promise.all(all.map((id) => other.hget(`stream:${id}:meta`, "status")));
  return all.filter((_, at) => statuses[at] === status);
}

async function countSuperseded(other: Redis): Promise<number> {
  const all = await other.zrange("streams:failed", "0", "-1");
  const by = await Promise.all(all.map((id) => other.hexists(`stream:${id}:meta`, "superseded_by")));
  return by.filter((one) => one === 1).length;
}
