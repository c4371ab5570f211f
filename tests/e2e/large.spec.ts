/** A hundred thousand streams, one of them with ten thousand parts: the bars of the speed table, cold and warm. */
import { seedMany } from "../../apps/web/scripts/seed-many.ts";
import { query, signIn } from "./support/api.ts";
import { startDashboard } from "./support/dashboard.ts";
import { residentBytes } from "./support/process.ts";
import { expect, test } from "./support/test.ts";

test.use({ world: "large" });
test.describe.configure({ mode: "serial" });

const STREAMS = 100_000;
const PARTS = 10_000;
/** Server time of a first page. The best of a few tries counts: the machine is shared, the server is not. */
const BAR_MS = 300;
const TRIES = 5;
const MOST_ROWS = 60;
const MIB = 1024 * 1024;
/** Some 500 MiB were seen while it fills, 260 afterwards. */
const MOST_BYTES = 800 * MIB;

let large = "";

test.beforeAll(async ({ redis, other }) => {
  test.setTimeout(120_000);
  const ids = await seedMany({ redisUrl: redis.url, streams: STREAMS, parts: PARTS });
  large = ids.at(-1) ?? "";
  await other.config("RESETSTAT");
});

/** The quickest of a few answers, ms. */
async function quickest<T>(ask: () => Promise<T>, isIt: (answer: T) => boolean): Promise<number> {
  const times: number[] = [];
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const asked = performance.now();
    const answer = await ask();
    if (isIt(answer)) times.push(performance.now() - asked);
  }
  return Math.min(...times);
}

test("the first page comes within 300 ms, before the read model is filled and after", async ({ redis }) => {
  const dashboard = await startDashboard(redis.url);
  try {
    const cookie = await signIn(dashboard.origin);
    const page = async () => {
      const { data } = await query(
        dashboard.origin,
        "streams.page",
        { filter: { view: "all" }, limit: 100 },
        { cookie },
      );
      return data as { rows: unknown[]; total: number; filling: boolean };
    };
    const isWhole = ({ rows, total }: { rows: unknown[]; total: number }) =>
      rows.length === 100 && total === STREAMS;
    const cold = await quickest(page, (answer) => answer.filling && isWhole(answer));
    expect(cold, "cold, ms").toBeLessThanOrEqual(BAR_MS);
    await expect.poll(async () => (await page()).filling, { timeout: 60_000 }).toBe(false);
    const warm = await quickest(page, (answer) => !answer.filling && isWhole(answer));
    expect(warm, "warm, ms").toBeLessThanOrEqual(BAR_MS);
    const first = await quickest(
      () => fetch(`${dashboard.origin}/streams`, { headers: { cookie } }).then((page) => page.text()),
      (html) => html.includes(`of ${STREAMS.toLocaleString("en-GB")}`),
    );
    expect(first, "the page itself, ms").toBeLessThanOrEqual(BAR_MS);
    const bytes = await residentBytes(dashboard.running);
    expect(bytes / MIB, "MiB resident").toBeLessThan(MOST_BYTES / MIB);
    test.info().annotations.push({
      type: "measured",
      description: `cold ${Math.round(cold)} ms, warm ${Math.round(warm)} ms, page ${Math.round(first)} ms, ${Math.round(bytes / MIB)} MiB`,
    });
  } finally {
    await dashboard.stop();
  }
});

test("X18: the list holds a screenful of rows, each with its place in the whole, and is searched and paged", async ({
  signedIn: page,
  dashboard,
}) => {
  await page.goto(`${dashboard.origin}/streams`);
  const table = page.getByRole("table", { name: "Streams" });
  await expect(table).toHaveAttribute("aria-rowcount", String(STREAMS + 1));
  expect(await table.getByRole("row").count()).toBeLessThanOrEqual(MOST_ROWS);
  const place = page.getByRole("region", { name: "List of streams" }).getByRole("status");
  await page.getByRole("button", { name: "Next" }).click();
  await expect(place).toHaveText("101–200 of 100,000");
  await page.goto(`${dashboard.origin}/streams?q=000777.mkv`);
  await expect(place).toHaveText("1–1 of 1");
  await expect(table.getByRole("row").nth(1)).toContainText("000777.mkv");
});

test("the stream of 10,000 parts is a map, and a table of the rows in sight", async ({
  signedIn: page,
  dashboard,
}) => {
  await page.goto(`${dashboard.origin}/streams/${large}`);
  const map = page.getByRole("slider", { name: "Parts of the stream" });
  await expect(map).toHaveAttribute("aria-valuemax", String(PARTS));
  const table = page.getByRole("table", { name: "Parts" });
  await expect(table).toHaveAttribute("aria-rowcount", String(PARTS + 1));
  expect(await table.getByRole("row").count()).toBeLessThanOrEqual(MOST_ROWS);
});

test("none of this asked Redis for SCAN or KEYS", async ({ other }) => {
  const stats = await other.info("commandstats");
  expect(stats).toContain("cmdstat_hmget");
  expect(stats).not.toMatch(/cmdstat_(scan|keys):/);
});
