/**
 * Kill it now: SIGKILL in the middle of an upload, the map goes on, nothing acknowledged is sent twice. Lose the disk: the
 * file is deleted in the middle of it, and what S3 holds is salvaged.
 */
import { createHash, randomBytes } from "node:crypto";
import { appendFile, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { WorkerProcess } from "../../apps/worker/test/rig/worker-process.ts";
import { query, mutate, signIn } from "./support/api.ts";
import { grave } from "./support/axe.ts";
import { startDashboard, type Dashboard } from "./support/dashboard.ts";
import { until } from "./support/process.ts";
import { PART, startStack, type Stack } from "./support/stack.ts";
import { expect, openPage, signInAt, test } from "./support/test.ts";

test.use({ world: "demo" });

let stack: Stack;
let demo: Dashboard;
/** The one that is at work, if any. */
let worker: WorkerProcess | undefined;

test.beforeAll(async ({ redis }) => {
  stack = await startStack(redis.url);
  demo = await startDashboard(redis.url, { SLUICE_DEMO: "1" });
});
test.afterAll(async () => {
  await demo.stop();
  await stack.stop();
});

test("the button kills the worker; its successor goes on, S3 saw no acknowledged part again, and file and object have one SHA-256", async ({
  page,
  other,
}) => {
  const killed = await stack.start();
  const path = join(stack.inbox, "live.ts");
  await writeFile(path, randomBytes(4 * PART));
  const id = await until(
    "the stream",
    async () => (await other.hget("streams:by_path", `browser-tests:${path}`)) ?? undefined,
  );
  await until("4 parts", async () => ((await other.hlen(`stream:${id}:parts`)) === 4 ? true : undefined));
  await signInAt(page, demo.origin);
  await page.goto(`${demo.origin}/streams/${id}`);
  await page.getByRole("button", { name: /Kill it now/ }).click();
  await expect(page.getByText(/Killed .* ago with SIGKILL/)).toBeVisible();
  expect(await killed.exited).toMatchObject({ signal: "SIGKILL" });
  await appendFile(path, randomBytes(2 * PART));
  worker = await stack.start();
  await expect(page.locator('[data-etag="6"]')).toBeVisible();
  await expect(page.getByText("Running again after 1 kill.")).toBeVisible();
  await expect(page.getByTestId("sent-again")).toContainText("0 B of acknowledged bytes sent again");
  const sent = stack.requests
    .filter(({ operation, status, key }) => operation === "UploadPart" && status === 200 && key === "live.ts")
    .map(({ partNumber }) => partNumber);
  expect(sent.toSorted((a, b) => Number(a) - Number(b))).toEqual([1, 2, 3, 4, 5, 6]);

  // Who watched it to its end is shown the proof unasked.
  await writeFile(`${path}.done`, "");
  const proof = page.getByRole("region", { name: "Proof" });
  await expect(proof.getByText("SHA-256 of file and object: equal")).toBeVisible();
  const sum = createHash("sha256")
    .update(await readFile(path))
    .digest("hex");
  const object = createHash("sha256");
  for await (const chunk of stack.bucket.read("live.ts", 6 * PART)) object.update(chunk);
  expect(object.digest("hex")).toBe(sum);
  await expect(proof.getByText(sum)).toHaveCount(2);

  // Where the object is another one, it says so.
  await stack.bucket.put("live.ts", randomBytes(6 * PART));
  await page.reload();
  await proof.getByRole("button", { name: "Prove it" }).click();
  await expect(proof.getByText("SHA-256 of file and object: different")).toBeVisible();
  await expect(proof.getByText(sum)).toHaveCount(1);
});

test("losing the disk deletes a recording of the demo alone, and an object is made of exactly what S3 holds of it", async ({
  page,
  other,
}) => {
  if (!worker?.running) worker = await stack.start();
  const name = `studio-1-20261130-120000-0${test.info().retry}.ts`;
  const own = join(stack.inbox, "holiday.mp4");
  await writeFile(own, randomBytes(3 * PART));
  const path = join(stack.inbox, name);
  const bytes = randomBytes(2 * PART + 300_000);
  await writeFile(path, bytes);
  const streamOf = (file: string) => other.hget("streams:by_path", `browser-tests:${file}`);
  const [id, ownId] = await Promise.all(
    [path, own].map((file) =>
      until("two parts", async () => {
        const stream = (await streamOf(file)) ?? "";
        return (await other.hlen(`stream:${stream}:parts`)) >= 2 ? stream : undefined;
      }),
    ),
  );
  await signInAt(page, demo.origin);
  // Another file in the inbox is somebody's own, whatever page it is asked on.
  await page.goto(`${demo.origin}/streams/${ownId}`);
  await page.getByRole("button", { name: /Lose the disk/ }).click();
  await expect(page.getByText("no recording of the demo is being written")).toBeVisible();
  expect((await stat(own)).size).toBe(3 * PART);

  await page.goto(`${demo.origin}/`);
  await page.getByRole("button", { name: /Lose the disk/ }).click();
  const story = page.getByTestId("loss");
  await expect(story).toContainText("Salvaged 10.0 MiB of 10.3 MiB");
  await expect(story).toContainText("Lost: 293 KiB");
  await expect(stat(path)).rejects.toThrow("ENOENT");
  const object: Buffer[] = [];
  for await (const chunk of stack.bucket.read(name, 2 * PART)) object.push(chunk);
  expect(Buffer.concat(object).equals(bytes.subarray(0, 2 * PART))).toBe(true);
  expect((await stat(own)).size).toBe(3 * PART);
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    expect(await grave(page)).toEqual([]);
  }
  await page.setViewportSize({ width: 360, height: 800 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
  await story.getByRole("link").click();
  await expect(page).toHaveURL(`${demo.origin}/streams/${id}`);
  await expect(page.getByText("salvaged: nobody judged it complete")).toBeVisible();
});

test("outside a demo nothing can be killed or lost, and nothing is proved unasked", async ({
  signedIn: page,
  dashboard,
}) => {
  await openPage(page, dashboard.origin);
  await expect(page.getByRole("button", { name: /Kill it now|Lose the disk/ })).toHaveCount(0);
  const cookie = await signIn(dashboard.origin);
  expect((await mutate(dashboard.origin, "demo.kill", {}, { cookie })).code).toBe("PRECONDITION_FAILED");
  expect((await mutate(dashboard.origin, "demo.lose", {}, { cookie })).code).toBe("PRECONDITION_FAILED");
  expect((await query(dashboard.origin, "demo.state", undefined, { cookie })).code).toBe(
    "PRECONDITION_FAILED",
  );
});
