/** 300 failed streams whose files still lie in the watch, purged with every worker dead: nothing comes back, nothing unplanned goes. */
import { mkdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startStack, type Stack } from "./support/stack.ts";
import { until } from "./support/process.ts";
import { expect, openPage, test } from "./support/test.ts";

test.use({ world: "purge-files" });

const FILES = 300;
let stack: Stack;

test.beforeAll(async ({ redis }) => {
  stack = await startStack(redis.url);
});
test.afterAll(() => stack.stop());

test("three rescans after a worker is back, what was purged stays gone and what failed since survives", async ({
  signedIn: page,
  dashboard,
  other,
}) => {
  test.slow();
  const folder = join(stack.inbox, "day");
  await mkdir(folder);
  const names = Array.from({ length: FILES }, (_, at) => `${String(at).padStart(3, "0")}.mkv`);
  await Promise.all(names.map((name) => writeFile(join(folder, name), name)));
  // An object of another program stands at every key, and conflicts are to fail.
  await Promise.all(names.map((name) => stack.bucket.put(`day/${name}`, "somebody else's")));
  const settings = { SLUICE_ON_CONFLICT: "fail", SLUICE_IDLE_TIMEOUT: "1s" };
  const first = await stack.start(settings);
  await until(
    "300 failed streams",
    async () => ((await other.zcard("streams:failed")) === FILES ? true : undefined),
    undefined,
    90_000,
  );
  await first.kill();

  await openPage(page, `${dashboard.origin}/failed`);
  await page.getByRole("button", { name: /Purge all failed/ }).click();
  const dialog = page.getByRole("dialog", { name: `Purge ${FILES} failed streams` });
  await dialog.getByLabel(/^Type/).fill(String(FILES));
  await dialog.getByRole("button", { name: "Purge" }).click();
  await expect(dialog.getByText(`${FILES} of ${FILES} items purged`)).toBeVisible();
  expect(await other.zcard("streams:failed")).toBe(0);

  // Polling: the rescan alone finds files, so each that is found after it was written proves one more rescan.
  await stack.start({ ...settings, SLUICE_POLLING: "on" });
  for (const round of [1, 2, 3]) {
    await stack.bucket.put(`day/fresh-${round}.mkv`, "somebody else's");
    await writeFile(join(folder, `fresh-${round}.mkv`), "fails after the purge");
    await until(`rescan ${round}`, async () =>
      (await other.zcard("streams:failed")) === round ? true : undefined,
    );
  }
  for (const index of ["streams:active", "streams:pending_completion", "streams:completed"])
    expect(await other.zcard(index)).toBe(0);
  for (const name of names) expect((await stat(join(folder, name))).isFile()).toBe(true);
  await expect(page.getByText("3 streams that cannot continue without help")).toBeVisible();
});
