/** What the overview asks attention for, as a real worker reports it: a disk that fills, an only copy that ends. */
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { rename, rm, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { grave } from "./support/axe.ts";
import { until } from "./support/process.ts";
import { PART, startStack, type Stack } from "./support/stack.ts";
import { expect, openPage, test } from "./support/test.ts";

test.use({ world: "attention" });

const MIB = 1024 * 1024;
let stack: Stack;
let unmount = (): void => undefined;

test.beforeAll(async ({ redis }) => {
  stack = await startStack(redis.url);
  const { inbox } = stack;
  let limit: string;
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64m", "sluice-test", inbox], { stdio: "ignore" });
    unmount = () => void execFileSync("umount", ["-l", inbox], { stdio: "ignore" });
    limit = "50%";
  } catch {
    // Mounting is not permitted here: the machine's own disk has this much to go.
    const { bavail, bsize } = await statfs(inbox);
    limit = `${bavail * bsize - 20 * MIB}B`;
  }
  await stack.start({ SLUICE_FREE_SPACE_WARNING: limit, SLUICE_FAILED_UPLOAD_RETENTION: "12h" });
});
test.afterAll(async () => {
  unmount();
  await stack.stop();
});

async function expectFitting(page: Page): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    expect(await grave(page)).toEqual([]);
  }
  await page.setViewportSize({ width: 360, height: 800 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
  await page.setViewportSize({ width: 1280, height: 900 });
}

test("a disk that fills is said on the overview and the workers' page, until there is room again", async ({
  signedIn: page,
  dashboard,
}) => {
  await openPage(page, dashboard.origin);
  const tile = page.getByRole("region", { name: "Not in S3 yet" });
  await expect(tile.getByText(/^Disk free$/)).toBeVisible();
  await expect(tile).toContainText(/Disk free[\d.]+ [MGT]iB/);
  await expect(page.getByText("Nothing needs your attention")).toBeVisible();
  const path = join(stack.inbox, "fills.mxf");
  await writeFile(path, randomBytes(40 * MIB));
  const item = page.locator("[data-attention^=disk-]");
  await expect(item).toContainText(/The disk of watch inbox fills: [\d.]+ [MGT]iB of [\d.]+ [MGT]iB free/);
  await expectFitting(page);
  await item.getByRole("link").click();
  await expect(page.getByTestId("free-space")).toContainText("Disk fills: ");
  await expectFitting(page);
  await rm(path);
  await expect(page.getByTestId("free-space")).not.toContainText("Disk fills");
  await openPage(page, dashboard.origin);
  await expect(item).toHaveCount(0);
});

test("an only copy that the retention ends is said a day before, with its time and what saves it", async ({
  signedIn: page,
  dashboard,
  other,
}) => {
  const path = join(stack.inbox, "take.mxf");
  await writeFile(path, randomBytes(PART + 1_000));
  const id = await until("a part in S3", async () => {
    const stream = (await other.hget("streams:by_path", `browser-tests:${path}`)) ?? "";
    return (await other.hlen(`stream:${stream}:parts`)) === 1 ? stream : undefined;
  });
  await writeFile(`${stack.inbox}/.other`, randomBytes(1_000));
  await rename(`${stack.inbox}/.other`, path);
  await openPage(page, dashboard.origin);
  const item = page.locator("[data-attention=only-copies-end]");
  await expect(item).toContainText("1 upload that is an only copy ends soon");
  await expect(item).toContainText(/take\.mxf, 5\.0 MiB, in 1[12] h/);
  // Another file took its place: nothing was completed too early.
  await expect(page.locator("[data-attention=reopened]")).toHaveCount(0);
  await expectFitting(page);
  await item.getByRole("link").click();
  await expect(page).toHaveURL(`${dashboard.origin}/streams/${id}`);
  await expect(page.getByTestId("only-copy-ends")).toContainText("A worker ends this upload in 1");
  await expect(page.getByText("Tail, lost with the file").first()).toBeVisible();
  await expectFitting(page);
});
