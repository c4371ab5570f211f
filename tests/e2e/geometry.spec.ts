/**
 * Every page in three time modes, at four widths and in both themes: nothing overlaps, nothing is cut off, nothing leaves
 * its card. One load of each page; it is then resized and switched in place, as a user would.
 */
import type { Page } from "@playwright/test";
import type { Redis } from "ioredis";
import { seed } from "../../apps/web/scripts/seed.ts";
import { misplaced } from "./support/geometry.ts";
import { expect, openPage, test } from "./support/test.ts";

// Hundreds of looks: a trace of each would take longer than they do.
test.use({ world: "geometry", trace: "off" });

const WIDTHS = [320, 768, 1440, 1920] as const;
const TIME_MODES = ["relative", "local", "utc"] as const;
const THEMES = ["light", "dark"] as const;
/** A layout may take a moment: rows are measured, and the chart is drawn again. */
const SETTLES_MS = 3_000;

const keepWorker = new AbortController();
let large = "";
let completed = "";
let failed = "";
let seeding: Promise<unknown> = Promise.resolve();

test.beforeAll(async ({ redis, other }) => {
  seeding = seed({ redisUrl: redis.url, streams: 70, parts: 300, keepWorker: keepWorker.signal });
  await expect.poll(() => other.hlen("orphans")).toBe(4);
  const active = await other.zrange("streams:active", "0", "-1");
  const parts = await Promise.all(active.map((id) => other.hlen(`stream:${id}:parts`)));
  large = active[parts.indexOf(Math.max(...parts))] ?? "";
  [completed = ""] = await other.zrange("streams:completed", "0", "0");
  [failed = ""] = await other.zrange("streams:failed", "0", "0");
  await writeExtremes(other);
});

test.afterAll(async () => {
  keepWorker.abort();
  await seeding;
});

/** Long names, long reasons and days long past, which are what breaks a layout. */
async function writeExtremes(other: Redis): Promise<void> {
  const long = `${"very-long-recording-name-without-a-place-to-break".repeat(4)}.mkv`;
  const before = "2026-03-09T23:59:58.000Z";
  const write = other.multi();
  for (const id of [large, completed, failed])
    write.hset(`stream:${id}:meta`, { original_path: `/srv/captures/${long}`, started_at_utc: before });
  write.hset(`stream:${failed}:meta`, { failure_detail: `cannot read /srv/captures/${long}: ${long}` });
  for (const [at, who] of ["operator", "somebody.with.a.long.name@department.example.org"].entries()) {
    const entry = {
      who,
      from: at === 0 ? "10.20.30.40" : "2001:db8:1234:5678:9abc:def0:1234:5678",
      action: "purge",
      ids: JSON.stringify([failed, completed, large]),
      reason: `${long} was no longer needed`,
      result: "3 done",
      plan: "6f1d3e6c-5a0e-4a76-9f0c-3c8d61a5d9a1",
      at_utc: at === 0 ? before : new Date().toISOString(),
    };
    write.xadd("audit", `${Date.parse(entry.at_utc)}-${at}`, ...Object.entries(entry).flat());
  }
  await write.exec();
}

/** Chooses as a click on the preferences does, and looks once the page has been laid out again. */
async function lookAt(page: Page, theme: string, mode: string): Promise<string[]> {
  await page.evaluate(
    async (chosen) => {
      for (const [name, value] of chosen)
        document.querySelector<HTMLInputElement>(`input[name=${name}][value=${value}]`)?.click();
      for (let frame = 0; frame < 2; frame += 1)
        await new Promise((resolve) => requestAnimationFrame(() => resolve(undefined)));
    },
    [
      ["theme", theme],
      ["time-mode", mode],
    ] as const,
  );
  return misplaced(page);
}

test("what is misplaced is found, and what is in order is not", async ({ page }) => {
  const style = "position:absolute;width:6rem;white-space:nowrap";
  await page.setContent(`
    <main>
      <p class="fine" style="${style};top:0">first line</p><p style="${style};top:3rem">second line</p>
      <p style="${style};top:6rem;left:0">over this</p><p style="${style};top:6rem;left:1rem">lies that</p>
      <div style="${style};top:9rem;overflow:hidden">much too long for its box, and not a mark of it</div>
      <div style="${style};top:12rem;overflow:hidden;text-overflow:ellipsis">long too, but it ends in dots</div>
      <div style="${style};top:15rem;overflow:hidden;text-overflow:ellipsis">at <time>2026-11-24 10:00:00</time></div>
      <div class="card" style="${style};top:18rem">a line that does not end where its card does</div>
      <p class="heard" style="position:absolute;top:0;width:1px;overflow:hidden">not to be seen</p>
    </main>`);
  expect((await misplaced(page)).map((line) => line.replaceAll(/“([^”]{8})[^”]*”/g, "$1"))).toEqual([
    "much too is cut off",
    "2026-11- is shortened",
    "a line t leaves its card",
    "over thi overlaps lies tha",
  ]);
});

for (const [name, path] of [
  ["the overview", () => "/"],
  ["streams", () => "/streams"],
  ["a growing stream", () => `/streams/${large}`],
  ["a completed stream", () => `/streams/${completed}`],
  ["a failed stream", () => `/streams/${failed}`],
  ["failed", () => "/failed"],
  ["orphans", () => "/orphans"],
  ["workers", () => "/workers"],
  ["a worker", () => "/workers/recorder-01-9464"],
  ["sources", () => "/sources"],
  ["a source", () => "/sources?source=recorder-01"],
  ["a watch", () => "/sources?source=recorder-01&watch=captures"],
  ["webhooks", () => "/webhooks"],
  ["system", () => "/system"],
  ["activity", () => "/activity"],
] as const)
  test(`${name}: nothing overlaps, is cut off or leaves its place`, async ({ signedIn: page, dashboard }) => {
    await openPage(page, dashboard.origin + path());
    await expect(
      page
        .getByRole("main")
        .getByText(/^(Loading|Reading)/)
        .filter({ visible: true }),
    ).toHaveCount(0);
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 900 });
      for (const theme of THEMES) {
        for (const mode of TIME_MODES) {
          // Almost always right at the first look; asking again costs time only where it is not.
          if ((await lookAt(page, theme, mode)).length === 0) continue;
          await expect
            .poll(() => misplaced(page), {
              message: `${path()} ${width} px, ${theme}, ${mode}`,
              timeout: SETTLES_MS,
            })
            .toEqual([]);
        }
      }
    }
  });

test("with forced colours, bars and swatches keep an edge", async ({ signedIn: page, dashboard }) => {
  await page.emulateMedia({ forcedColors: "active" });
  await openPage(page, `${dashboard.origin}/streams/${large}`);
  for (const shown of [page.getByRole("progressbar"), page.locator(".swatch")])
    for (const each of await shown.all())
      expect(await each.evaluate((element) => getComputedStyle(element).outlineWidth)).toBe("1px");
});
