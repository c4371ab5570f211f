/** File names come from outside: whatever they hold is shown, nothing of it acts. */
import { expect, test } from "./support/test.ts";

test.use({ world: "names" });

const NAMES = [
  "<img src=x onerror=window.hacked=1>.mkv",
  "<script>window.hacked=1</script>.mkv",
  '"><svg onload=window.hacked=1>.mkv',
  "javascript:alert(1).mkv",
  "{{constructor.constructor('window.hacked=1')()}}.mkv",
  "${window.hacked=1}.mkv",
  "line\nbreak.mkv",
  "tab\there.mkv",
  "escape\u001b[31mred.mkv",
  "null\u0000byte.mkv",
  "gpj.\u202ekvm.exe",
  "zero\u200bwidth\u200bspace.mkv",
  "bom\ufeff.mkv",
  "soft\u00adhyphen.mkv",
  "no-break\u00a0space.mkv",
  " leading and trailing ",
  "=cmd|' /C calc'!A0.csv",
  "%0d%0aSet-Cookie:a=b.mkv",
  "..%2f..%2fetc%2fpasswd",
  "日本語.mkv",
  "e\u0301 combining.mkv",
  "👩‍👩‍👧‍👦 family.mkv",
  "العربية.mkv",
  "a".repeat(250) + ".mkv",
] as const;

test.beforeAll(async ({ other }) => {
  for (const [at, name] of NAMES.entries()) {
    const id = `name-${String(at).padStart(2, "0")}`;
    await other
      .multi()
      .hset(`stream:${id}:meta`, {
        original_path: `/srv/in/${name}`,
        source: "recorder",
        watch: "in",
        s3_bucket: "b",
        s3_key_prefix: "",
        status: "failed_unreadable_file",
        failure_reason: "unreadable_file",
        failure_detail: `cannot read ${name}`,
        next_part: 1,
        bytes_sent: 0,
        part_plan: "stepped:8388608",
        file_size: 10,
        started_at_utc: "2026-11-24T00:00:00.000Z",
        last_activity_at_utc: "2026-11-24T00:00:00.000Z",
        fence: 1,
        revision: 1,
        longest_pause_ms: 0,
        verify_mode: "full",
        schema_version: 1,
      })
      .lpush(`stream:${id}:log`, JSON.stringify({ at_utc: "2026-11-24T00:00:00.000Z", text: `saw ${name}` }))
      .zadd("streams:failed", at, id)
      .exec();
  }
});

test("X7: markup in names is text on every page, and the policy would stop it if it were not", async ({
  signedIn: page,
  dashboard,
}) => {
  const violations: string[] = [];
  page.on("console", (message) => {
    if (/content security policy/i.test(message.text())) violations.push(message.text());
  });
  for (const path of [
    "/streams",
    "/failed",
    "/",
    "/streams/name-00",
    "/streams/name-01",
    "/streams/name-02",
  ]) {
    await page.goto(dashboard.origin + path);
    await expect(page.getByRole("main")).toBeVisible();
    await expect(page.locator("main script, main img, main svg[onload]")).toHaveCount(0);
  }
  expect(await page.evaluate(() => "hacked" in window)).toBe(false);
  expect(violations).toEqual([]);
  await page.goto(`${dashboard.origin}/streams/name-00`);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("<img src=x onerror=window.hacked=1>.mkv");
});

test("X7: characters that hide or reorder text are marks that say what they are", async ({
  signedIn: page,
  dashboard,
}) => {
  const seen: [at: number, mark: string, title: RegExp][] = [
    [6, "␊", /line feed/],
    [8, "␛", /escape/],
    [9, "␀", /U\+0000/],
    [10, "U+202E", /right-to-left override/],
    [11, "U+200B", /zero width space/],
  ];
  for (const [at, mark, title] of seen) {
    await page.goto(`${dashboard.origin}/streams/name-${String(at).padStart(2, "0")}`);
    const shown = page.locator("h1 span").and(page.getByTitle(title)).first();
    await expect(shown).toHaveText(mark);
  }
});

test("no name breaks the layout at 320 px", async ({ signedIn: page, dashboard }) => {
  await page.setViewportSize({ width: 320, height: 700 });
  for (const path of ["/streams", "/failed", "/streams/name-23", "/streams/name-10"]) {
    await page.goto(dashboard.origin + path);
    await expect(page.getByRole("main")).toBeVisible();
    expect(
      await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth),
      path,
    ).toBeLessThanOrEqual(0);
  }
});
