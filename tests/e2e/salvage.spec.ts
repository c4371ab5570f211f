/** Files are lost in the middle of their upload: each page says what is lost and what S3 alone holds, and salvages it. */
import { randomBytes } from "node:crypto";
import { rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import type { Redis } from "ioredis";
import { grave } from "./support/axe.ts";
import { until } from "./support/process.ts";
import { PART, startStack, type Stack } from "./support/stack.ts";
import { expect, openPage, test } from "./support/test.ts";

test.use({ world: "salvage" });

test.describe.configure({ mode: "serial" });

const HELD = 2 * PART;
const TAIL = 300_000;
let stack: Stack;

test.beforeAll(async ({ redis, other }) => {
  stack = await startStack(redis.url);
  await stack.start();
  // While one file is there, another that disappears is missing, and no volume is.
  await midFile(other, "kept.mxf");
});
test.afterAll(() => stack.stop());

interface Lost {
  id: string;
  key: string;
  bytes: Buffer;
}

/** A live stream of which two parts are in S3 and a tail is not. */
async function midFile(other: Redis, key: string): Promise<Lost> {
  const path = join(stack.inbox, key);
  const bytes = randomBytes(HELD + TAIL);
  await writeFile(path, bytes);
  const id = await until("two parts in S3", async () => {
    const stream = (await other.hget("streams:by_path", `browser-tests:${path}`)) ?? "";
    return (await other.hlen(`stream:${stream}:parts`)) === 2 ? stream : undefined;
  });
  return { id, key, bytes };
}

/** The same, and its file is deleted. */
async function lose(other: Redis, key: string): Promise<Lost> {
  const lost = await midFile(other, key);
  await rm(join(stack.inbox, key));
  await failedWith(other, lost.id, "missing");
  return lost;
}

async function failedWith(other: Redis, id: string, state: string): Promise<void> {
  await until(`a failed stream whose file is ${state}`, async () => {
    const [status, seen] = await other.hmget(`stream:${id}:meta`, "status", "source_state");
    return status?.startsWith("failed_") && seen === state ? true : undefined;
  });
}

async function expectSalvaged({ key, bytes }: Lost): Promise<void> {
  expect((await stack.bucket.bytes(key)).equals(bytes.subarray(0, HELD))).toBe(true);
}

/** Readable in both themes, and no wider than a phone. */
async function expectFitting(page: Page): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    expect(await grave(page)).toEqual([]);
  }
  await page.setViewportSize({ width: 360, height: 800 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
  expect(
    await page.evaluate(() =>
      [...document.querySelectorAll("[role=dialog] *")]
        .filter((element) => element.getBoundingClientRect().right > window.innerWidth + 1)
        .map((element) => element.outerHTML.slice(0, 80)),
    ),
  ).toEqual([]);
  await page.setViewportSize({ width: 1280, height: 900 });
}

test("the page of a stream whose file is gone says lost and only copy, never on disk, and salvages it", async ({
  signedIn: page,
  dashboard,
  other,
}) => {
  const lost = await lose(other, "one.mxf");
  await openPage(page, `${dashboard.origin}/streams/${lost.id}`);
  const state = page.getByRole("region", { name: "State" });
  await expect(state.getByText("Only copy, in S3")).toBeVisible();
  await expect(state.getByText("Lost", { exact: true })).toBeVisible();
  await expect(page.getByText("Tail, lost with the file").first()).toBeVisible();
  await expect(page.getByText(/on (?:local )?disk/i)).toHaveCount(0);
  await expectFitting(page);
  await page.getByRole("button", { name: "Salvage" }).click();
  const dialog = page.getByRole("dialog", { name: "Salvage 1 stream from S3" });
  await expect(dialog.getByText("10.0 MiB in all, marked as partial")).toBeVisible();
  await expect(dialog.getByText("Lost for good unless the file comes back: 293 KiB")).toBeVisible();
  await expectFitting(page);
  await dialog.getByRole("button", { name: "Salvage" }).click();
  await expect(dialog.getByText("1 of 1 item salvaged")).toBeVisible();
  await dialog.getByRole("button", { name: "Close" }).last().click();
  await expect(state.getByText("Partial")).toBeVisible();
  await expectSalvaged(lost);
  expect(await other.hget(`stream:${lost.id}:meta`, "completed_by")).toBe("salvage");
  // Done once: now it is complete.
  await expect(page.getByRole("button", { name: /^Salvage/ })).toHaveAttribute("aria-disabled", "true");
});

test("the failed page salvages all of a reason, and what cannot be salvaged says why", async ({
  signedIn: page,
  dashboard,
  other,
}) => {
  const two = await lose(other, "two.mxf");
  const three = await lose(other, "three.mxf");
  await stack.bucket.put(three.key, "somebody else's");
  await openPage(page, `${dashboard.origin}/failed`);
  const group = page.getByRole("region", { name: /File missing/i });
  await expect(group.getByText("Only copy, in S3")).toBeVisible();
  await expect(group.getByText("20.0 MiB").first()).toBeVisible();
  await expect(group.getByText("Lost", { exact: true })).toBeVisible();
  await expect(group.getByText("On local disk only")).toHaveCount(0);
  await expectFitting(page);
  await group.getByRole("button", { name: /^Salvage/ }).click();
  const dialog = page.getByRole("dialog", { name: "Salvage 2 streams from S3" });
  await dialog.getByRole("button", { name: "Salvage" }).click();
  await expect(dialog.getByText("1 of 2 items salvaged · 1 refused")).toBeVisible();
  await expect(dialog.getByText("an object of another program exists at three.mxf")).toBeVisible();
  await expectFitting(page);
  await expectSalvaged(two);
  expect(await stack.bucket.text(three.key)).toBe("somebody else's");
  expect(await stack.bucket.openUploads(three.key)).toHaveLength(1);
  await stack.bucket.remove(three.key);
  await dialog.getByRole("button", { name: "Close" }).last().click();
  await group.getByRole("button", { name: /^Salvage/ }).click();
  const again = page.getByRole("dialog", { name: "Salvage 1 stream from S3" });
  await again.getByRole("button", { name: "Salvage" }).click();
  await expect(again.getByText("1 of 1 item salvaged")).toBeVisible();
  await expectSalvaged(three);
});

test("a file that is there is retried, not salvaged", async ({ signedIn: page, dashboard, other }) => {
  const { id, key } = await midFile(other, "there.mxf");
  const path = join(stack.inbox, key);
  const away = `${stack.inbox}-away.mxf`;
  await rename(path, away);
  await failedWith(other, id, "missing");
  await openPage(page, `${dashboard.origin}/streams/${id}`);
  await expect(page.getByText("Tail, lost with the file").first()).toBeVisible();
  await rename(away, path);
  // It heals by itself, and the page follows.
  await expect(page.getByText("Tail, on local disk only").first()).toBeVisible();
  await expect(page.getByRole("button", { name: /^Salvage/ })).toHaveAttribute("aria-disabled", "true");
});

test("a purge keeps an only copy, and the orphans page makes an object of it; losing it takes words that name it", async ({
  signedIn: page,
  dashboard,
  other,
}) => {
  test.slow();
  // Without a record nobody knows whether an upload is still being sent: its last part must be some minutes old.
  stack.aheadMs = -3 * 60_000;
  const kept = await lose(other, "purged.mxf");
  stack.aheadMs = 0;
  const given = await lose(other, "given-up.mxf");
  await openPage(page, `${dashboard.origin}/failed`);
  const group = page.getByRole("region", { name: /File missing/i });
  await group.getByRole("button", { name: /^Purge/ }).click();
  const dialog = page.getByRole("dialog", { name: "Purge 2 failed streams" });
  // The choice that is made beforehand loses nothing.
  await expect(dialog.getByLabel("Abort, but keep only copies")).toBeChecked();
  await expect(dialog.getByText(/Only copy: 20\.0 MiB in S3, in 2 open uploads, kept/)).toBeVisible();
  await dialog.getByText("Abort also the only copies").click();
  await expect(dialog.getByText("S3 forgets them: these bytes exist nowhere else.")).toBeVisible();
  const confirm = dialog.getByRole("button", { name: /^Purge/ });
  await expect(confirm).toHaveAttribute("aria-disabled", "true");
  await dialog.getByLabel(/^Type/).fill("2");
  await expect(confirm).toHaveAttribute("aria-disabled", "true");
  await expectFitting(page);
  await dialog.getByRole("button", { name: "Cancel" }).click();

  // One is given up, by its name; the other is purged with the choice that keeps it.
  await openPage(page, `${dashboard.origin}/streams/${given.id}`);
  await page.getByRole("button", { name: /^Purge/ }).click();
  const giveUp = page.getByRole("dialog", { name: "Purge 1 failed stream" });
  await giveUp.getByText("Abort also the only copies").click();
  await giveUp.getByLabel("Type lose 10.0 MiB to confirm").fill("lose 10.0 MiB");
  await giveUp.getByRole("button", { name: /^Purge/ }).click();
  await expect(giveUp.getByText("1 of 1 item purged")).toBeVisible();
  await until("its upload to be aborted", async () =>
    (await stack.bucket.openUploads(given.key)).length === 0 ? true : undefined,
  );
  await openPage(page, `${dashboard.origin}/streams/${kept.id}`);
  await page.getByRole("button", { name: /^Purge/ }).click();
  const keep = page.getByRole("dialog", { name: "Purge 1 failed stream" });
  await keep.getByRole("button", { name: /^Purge/ }).click();
  await expect(keep.getByText("1 of 1 item purged")).toBeVisible();
  expect(await stack.bucket.openUploads(kept.key)).toHaveLength(1);

  await openPage(page, `${dashboard.origin}/orphans`);
  const orphan = page.getByRole("row").filter({ hasText: kept.key });
  await expect(orphan.getByText("Only copy", { exact: true })).toBeVisible();
  await page.getByLabel(`Select ${kept.key}`).check();
  await expectFitting(page);
  const salvage = page.getByRole("button", { name: "Salvage" });
  await salvage.click();
  const last = page.getByRole("dialog", { name: "Salvage 1 upload in S3" });
  await expect(last.getByText(`${kept.key} becomes an object of the parts in S3`)).toBeVisible();
  await last.getByRole("button", { name: "Salvage" }).click();
  await expect(last.getByText("1 of 1 item salvaged")).toBeVisible();
  await last.getByRole("button", { name: "Close" }).last().click();
  await expect(page.getByText("No orphans known")).toBeVisible();
  await expectSalvaged(kept);
});
