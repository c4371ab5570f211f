/** The verdict of the overview in the states that an on-call person meets, with the real worker: never better than what is. */
import { randomBytes } from "node:crypto";
import { appendFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import type { WorkerProcess } from "../../apps/worker/test/rig/worker-process.ts";
import { PART, startStack, type Stack } from "./support/stack.ts";
import { expect, openPage, test } from "./support/test.ts";

test.use({ world: "verdict" });
test.describe.configure({ mode: "serial" });

const MIB = 1024 * 1024;
/** A lease lapses, a page refreshes: longer than both together. */
const SOON = { timeout: 40_000 };
const SLOW = { SLUICE_BANDWIDTH: "1MiB/s" };

let stack: Stack;
let worker: WorkerProcess;

test.beforeAll(async ({ redis }) => {
  stack = await startStack(redis.url);
  worker = await stack.start();
});
test.afterAll(() => stack.stop());

const verdict = (page: Page) => page.locator("[data-verdict]");

async function judged(page: Page, state: string, words: RegExp): Promise<void> {
  await expect(verdict(page)).toHaveAttribute("data-verdict", state, SOON);
  await expect(verdict(page)).toContainText(words);
}

/** "13.0 MiB" of the tile, in bytes. */
async function notInS3(page: Page): Promise<number> {
  const text = await page.getByRole("region", { name: "Not in S3 yet" }).locator("p").innerText();
  const [amount = "", unit = ""] = text.split(" ");
  return Number(amount) * ({ B: 1, KiB: 1024, MiB: MIB }[unit] ?? NaN);
}

test("calm: a tail that is not protected yet is safe, with its bytes and its age", async ({
  signedIn: page,
  dashboard,
}) => {
  await writeFile(join(stack.inbox, "calm.mp4"), randomBytes(PART + 3 * MIB));
  await openPage(page, dashboard.origin);
  await judged(
    page,
    "safe",
    /Every full part of 1 live stream is in S3 or on its way; 3\.0 MiB are not protected/,
  );
  await expect.poll(() => notInS3(page), SOON).toBe(3 * MIB);
});

test("the store answers 500: stopped, with the worker, the reason and since when; then safe again by itself", async ({
  signedIn: page,
  dashboard,
}) => {
  await openPage(page, dashboard.origin);
  const fault = stack.faults.add(
    { times: -1 },
    { kind: "reply", reply: { status: 500, code: "InternalError", message: "not today" } },
  );
  for (const name of ["one", "two"]) await writeFile(join(stack.inbox, `${name}.mp4`), randomBytes(2 * PART));
  await judged(
    page,
    "stopped",
    /Uploads have stopped.*The worker is blocked: browser-worker.*InternalError.* for /,
  );
  await expect(page.locator("[data-attention=blocked-browser-worker]")).toBeVisible();
  await expect(page.getByText("Uploads are blocked.")).toBeVisible();
  stack.faults.remove(fault);
  await judged(page, "safe", /Data is safe/);
});

test("Redis away: unknown, while the numbers of before still stand there; then judged anew", async ({
  signedIn: page,
  dashboard,
  redis,
}) => {
  await openPage(page, dashboard.origin);
  await judged(page, "safe", /Data is safe/);
  await redis.kill();
  await judged(page, "unknown", /Not known.*Redis is not reachable/);
  await redis.start();
  await judged(page, "safe", /Data is safe/);
});

test("the worker is killed: unknown, and what it left is named; a slow uplink falls behind, then catches up", async ({
  signedIn: page,
  dashboard,
}) => {
  test.setTimeout(240_000);
  await openPage(page, dashboard.origin);
  await worker.kill();
  await judged(page, "unknown", /No worker runs on source browser-tests.* live streams wait/);
  const gone = page.locator("[data-attention=gone-browser-worker]");
  await expect(gone).toContainText("browser-worker");
  await expect(gone).toContainText("live streams");

  const path = join(stack.inbox, "slow.mp4");
  await writeFile(path, randomBytes(8 * PART));
  worker = await stack.start(SLOW);
  const writing = setInterval(() => void appendFile(path, randomBytes(2 * MIB)), 1_000);
  try {
    await judged(page, "falling_behind", /Falling behind.* are not in S3, and a full part has waited for /);
    await expect(page.locator("[data-attention=blocked-browser-worker]")).toHaveCount(0);
  } finally {
    clearInterval(writing);
  }
  const written = (await stat(path)).size;
  const before = await notInS3(page);
  expect(before).toBeGreaterThan(4 * PART);
  expect(before).toBeLessThanOrEqual(written + 3 * MIB);
  await judged(page, "catching_up", /Catching up.*in about /);
});
