/** Against the real worker, Redis and S3 endpoint: a file watched to its end, actions that workers carry out, and their effect read back. */
import { createHash, randomBytes } from "node:crypto";
import { appendFile, chmod, open, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import type { Redis } from "ioredis";
import type { WorkerProcess } from "../../apps/worker/test/rig/worker-process.ts";
import { signIn } from "./support/api.ts";
import { PASSWORD } from "./support/dashboard.ts";
import { until } from "./support/process.ts";
import { CREDENTIALS, PART, startStack, type Stack } from "./support/stack.ts";
import { expect, openPage, test } from "./support/test.ts";

test.use({ world: "upload" });
test.describe.configure({ mode: "serial" });

let stack: Stack;
let worker: WorkerProcess;

test.beforeAll(async ({ redis }) => {
  stack = await startStack(redis.url);
  worker = await stack.start({ SLUICE_LOG_LEVEL: "debug", SLUICE_REREAD_RATE: "512KiB/s" });
});
test.afterAll(() => stack.stop());

/** The id of the live stream of a file. */
function streamOf(other: Redis, path: string): Promise<string> {
  return until(
    `a stream for ${path}`,
    async () => (await other.hget("streams:by_path", `browser-tests:${path}`)) ?? undefined,
  );
}

async function openStream(page: Page, origin: string, id: string): Promise<void> {
  await openPage(page, `${origin}/streams/${id}`);
}

async function acknowledged(other: Redis, id: string, count: number): Promise<void> {
  await until(`${count} parts`, async () =>
    (await other.hlen(`stream:${id}:parts`)) >= count ? true : undefined,
  );
}

test("a growing file is watched to completion: parts, ETags equal to S3's, also of a part that was rewritten, and the object", async ({
  signedIn: page,
  dashboard,
  other,
}) => {
  const path = join(stack.inbox, "concert.mp4");
  await writeFile(path, randomBytes(2 * PART + 1_000));
  const id = await streamOf(other, path);
  await openStream(page, dashboard.origin, id);
  const map = page.getByRole("slider", { name: "Parts of the stream" });
  await expect(map).toHaveAttribute("aria-valuemax", "3");
  await acknowledged(other, id, 2);
  await appendFile(path, randomBytes(PART));
  // The page follows by itself.
  await expect(page.locator('[data-etag="3"]')).toBeVisible();
  const uploadId = (await other.hget(`stream:${id}:meta`, "s3_upload_id")) ?? "";
  const listed = await stack.listParts("concert.mp4", uploadId);
  for (const n of [1, 2, 3])
    await expect(page.locator(`[data-etag="${n}"]`)).toHaveText(listed.get(n) ?? "missing");
  await page.getByRole("button", { name: "Compare with S3" }).click();
  await expect(page.getByText("ListParts agrees: 3 parts with the same ETag and size")).toBeVisible();

  // An MP4's header is written last: the verify finds part 1 changed and sends it again under its number.
  const file = await open(path, "r+");
  await file.write(randomBytes(64), 0, 64, 0);
  await file.close();
  await writeFile(`${path}.done`, "");
  await expect(page.getByTestId("why")).toContainText("a marker file said so");
  const parts = await other.hgetall(`stream:${id}:parts`);
  const bytes = await readFile(path);
  for (const text of Object.values(parts)) {
    const part = JSON.parse(text) as { PartNumber: number; Offset: number; Size: number; ETag: string };
    const md5 = createHash("md5")
      .update(bytes.subarray(part.Offset, part.Offset + part.Size))
      .digest("hex");
    expect(part.ETag).toBe(md5);
    await expect(page.locator(`[data-etag="${part.PartNumber}"]`)).toHaveText(md5);
  }
  expect(JSON.parse(parts["1"] ?? "{}")).not.toMatchObject({ ETag: listed.get(1) });
  await page.getByRole("button", { name: "Compare with S3" }).click();
  await expect(page.getByText("HeadObject agrees with the record")).toBeVisible();
  const stored: Buffer[] = [];
  for await (const chunk of stack.bucket.read("concert.mp4", bytes.length)) stored.push(chunk);
  expect(Buffer.concat(stored).equals(bytes)).toBe(true);
  await page.locator("summary", { hasText: "Metadata document" }).click();
  const shown = JSON.parse((await page.getByLabel("metadata document").textContent()) ?? "{}") as unknown;
  expect(shown).toEqual(JSON.parse(await stack.bucket.text("concert.mp4.metadata.json")));
});

test("finalize now seals a file that its name says is unfinished", async ({
  signedIn: page,
  dashboard,
  other,
}) => {
  const path = join(stack.inbox, "talk.mkv.part");
  await writeFile(path, randomBytes(PART + 5_000));
  const id = await streamOf(other, path);
  await openStream(page, dashboard.origin, id);
  await expect(page.getByTestId("why")).toContainText("the name still ends in .part");
  await page.getByRole("button", { name: /^Finalize now/ }).click();
  const dialog = page.getByRole("dialog", { name: "Finalize 1 stream now" });
  await dialog.getByRole("button", { name: "Finalize" }).click();
  await expect(dialog.getByText("1 of 1 item finalized")).toBeVisible();
  await dialog.getByRole("button", { name: "Close" }).last().click();
  await expect(page.getByTestId("why")).toContainText("an operator finalized it");
  expect((await stack.bucket.head("talk.mkv")).status).toBe(200);
});

test("an aborted stream leaves no upload and its file in place; a retry carries it to completion", async ({
  signedIn: page,
  dashboard,
  other,
}) => {
  const path = join(stack.inbox, "lecture.mkv");
  const bytes = randomBytes(2 * PART + 7);
  await writeFile(path, bytes);
  const id = await streamOf(other, path);
  await acknowledged(other, id, 2);
  await openStream(page, dashboard.origin, id);
  await page.getByRole("button", { name: /^Abort/ }).click();
  const dialog = page.getByRole("dialog", { name: "Abort 1 stream" });
  await dialog.getByLabel(/Type abort/).fill("abort");
  await dialog.getByRole("button", { name: "Abort" }).click();
  await expect(dialog.getByText("1 of 1 item aborted")).toBeVisible();
  await dialog.getByRole("button", { name: "Close" }).last().click();
  await until("no open upload", async () =>
    (await stack.bucket.openUploads("lecture")).length === 0 ? true : undefined,
  );
  expect((await readFile(path)).equals(bytes)).toBe(true);
  await expect(page.getByRole("button", { name: /^Retry/ })).not.toHaveAttribute("aria-disabled");
  await page.getByRole("button", { name: /^Retry/ }).click();
  const retry = page.getByRole("dialog", { name: "Retry 1 failed stream" });
  await retry.getByRole("button", { name: "Retry" }).click();
  await expect(retry.getByText("1 of 1 item retried")).toBeVisible();
  await writeFile(`${path}.done`, "");
  await until("the object", async () =>
    (await stack.bucket.head("lecture.mkv")).status === 200 ? true : undefined,
  );
});

test("an orphan of ours is cleaned; a foreign upload is listed as foreign, never chosen by itself and left alone", async ({
  signedIn: page,
  dashboard,
  other,
}) => {
  const foreign = await stack.createUpload("somebody-elses/archive.tar");
  await openPage(page, `${dashboard.origin}/orphans`);
  await page.getByRole("button", { name: "Scan now" }).click();
  const row = page.getByRole("row").filter({ hasText: "archive.tar" });
  await expect(row).toHaveAttribute("data-verdict", /foreign|unknown/);
  // At the key of a live stream of ours, begun after it.
  const path = join(stack.inbox, "held.mkv");
  await writeFile(path, randomBytes(PART + 1));
  const id = await streamOf(other, path);
  await acknowledged(other, id, 1);
  const orphan = await stack.createUpload("held.mkv");
  await page.getByRole("button", { name: "Scan now" }).click();
  const left = page.getByRole("row").filter({ hasText: orphan });
  await expect(left).toHaveAttribute("data-verdict", "ours");
  await page.getByRole("button", { name: "Select ours" }).click();
  await expect(left.getByRole("checkbox")).toBeChecked();
  await expect(row.getByRole("checkbox")).not.toBeChecked();
  await page.getByRole("button", { name: "Abort 1 upload" }).click();
  const dialog = page.getByRole("dialog", { name: "Abort 1 orphaned upload" });
  await dialog.getByLabel(/^Type/).fill("abort");
  await dialog.getByRole("button", { name: "Abort uploads" }).click();
  await expect(dialog.getByText("1 of 1 item aborted")).toBeVisible();
  // The log names the upload, and what the worker answered.
  await expect
    .poll(async () =>
      (await other.xrevrange("audit", "+", "-", "COUNT", 5)).map(([, fields]) => fields.join(" ")),
    )
    .toContainEqual(expect.stringMatching(/abort_uploads result 1 done .*held\.mkv.*"result":"done"/));
  expect((await stack.bucket.openUploads("held.mkv")).map((upload) => upload.uploadId)).toEqual([
    await other.hget(`stream:${id}:meta`, "s3_upload_id"),
  ]);
  expect(await other.hexists("orphans", orphan)).toBe(0);
  expect((await stack.bucket.openUploads("somebody-elses/")).map((upload) => upload.uploadId)).toEqual([
    foreign,
  ]);
});

test("a renamed recording keeps its stream, and the page shows its new name", async ({
  signedIn: page,
  dashboard,
  other,
}) => {
  const path = join(stack.inbox, "raw.ts.tmp");
  await writeFile(path, randomBytes(PART + 1));
  const id = await streamOf(other, path);
  await openStream(page, dashboard.origin, id);
  await rename(path, join(stack.inbox, "raw.ts"));
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("raw.ts");
});

test("the workers page says what the probe found out about the store", async ({
  signedIn: page,
  dashboard,
}) => {
  await openPage(page, `${dashboard.origin}/workers`);
  const store = page.getByTestId("store");
  await expect(store.locator("summary")).toContainText("CRC32 of whole objects");
  await store.locator("summary").click();
  await expect(store).toContainText("Whether uploads are aborted after some time is unknown");
});

test("while the worker reads a completed file again, the workers page says so and why", async ({
  signedIn: page,
  dashboard,
}) => {
  await page.goto(`${dashboard.origin}/workers`);
  // At SLUICE_REREAD_RATE its 15 MiB take much longer than the lease's next renewal.
  await chmod(join(stack.inbox, "concert.mp4"), 0o640);
  await expect(page.getByTestId("checking")).toContainText(
    "Checking 1 completed file: its time stamps changed",
  );
});

test("a file that is replaced again and again is a note on the overview, which names the setting", async ({
  signedIn: page,
  dashboard,
}) => {
  const path = join(stack.inbox, "status.txt");
  const keys = ["status.txt", "status-2.txt", "status-3.txt"];
  for (const [at, key] of keys.entries()) {
    const written = join(stack.inbox, ".status");
    await writeFile(written, `status ${"again ".repeat(at)}`);
    await rename(written, path);
    await writeFile(`${path}.done`, "");
    await until(`the object ${key}`, async () =>
      (await stack.bucket.head(key)).status === 200 ? true : undefined,
    );
  }
  await page.goto(dashboard.origin);
  const note = page.locator("[data-attention=repeated-names]");
  await expect(note).toContainText("1 file gets a new object each time it is rewritten");
  await expect(note).toContainText("status.txt got at least 3 names within a day, last status-3.txt");
  await expect(note).toContainText("SLUICE_ON_REPLACE=replace");
});

test("X13: after all of this, no secret stands in a log, in Redis' log of every command, in an object, or on a page", async ({
  dashboard,
  redis,
}) => {
  const cookie = await signIn(dashboard.origin);
  const seen: Record<string, string> = {
    worker: JSON.stringify(worker.lines) + worker.other.join("\n"),
    dashboard: dashboard.running.output(),
  };
  for (const name of await readdir(join(redis.directory, "appendonlydir")))
    seen[name] = await readFile(join(redis.directory, "appendonlydir", name), "latin1");
  for (const key of await stack.bucket.keys()) {
    const { headers } = await stack.bucket.head(key);
    seen[key] =
      JSON.stringify(headers) + (key.endsWith(".metadata.json") ? await stack.bucket.text(key) : "");
  }
  for (const path of ["/", "/streams", "/workers", "/activity"])
    seen[path] = await (await fetch(dashboard.origin + path, { headers: { cookie } })).text();
  const session = cookie.slice(cookie.indexOf("=") + 1);
  expect(Object.keys(seen).length).toBeGreaterThan(10);
  expect(seen["worker"]).toContain("browser-worker");
  expect(Object.values(seen).join("")).toContain("concert.mp4");
  const secrets = [PASSWORD, CREDENTIALS.secretAccessKey, session];
  for (const [where, text] of Object.entries(seen))
    for (const secret of secrets) expect(text.includes(secret), `${where} holds ${secret}`).toBe(false);
});
