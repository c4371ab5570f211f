/** "Prove it" for any completed stream: a worker reads file and object, and an operator sees both sums. */
import { createHash, randomBytes } from "node:crypto";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { mutate, signIn } from "./support/api.ts";
import { grave } from "./support/axe.ts";
import { until } from "./support/process.ts";
import { PART, startStack, type Stack } from "./support/stack.ts";
import { expect, openPage, test } from "./support/test.ts";

test.use({ world: "proof" });

let stack: Stack;

test.beforeAll(async ({ redis }) => {
  stack = await startStack(redis.url);
  await stack.start();
});
test.afterAll(() => stack.stop());

test("a completed stream is proved when it is asked for, and says against what it was verified", async ({
  signedIn: page,
  dashboard,
  other,
}) => {
  const path = join(stack.inbox, "take.mkv");
  await writeFile(path, randomBytes(PART + 10));
  await writeFile(`${path}.done`, "");
  const entry = await until(
    "its completion",
    async () => (await other.hget("files:done", `browser-tests:${path}`)) ?? undefined,
  );
  const { stream_id: id } = JSON.parse(entry) as { stream_id: string };
  await openPage(page, `${dashboard.origin}/streams/${id}`);
  await expect(page.getByText("the object against the file on disk: every part is read again")).toBeVisible();
  const proof = page.getByRole("region", { name: "Proof" });
  await expect(proof.getByText("SHA-256 of the file on disk and of the object in S3.")).toBeVisible();
  await proof.getByRole("button", { name: "Prove it" }).click();
  await expect(proof.getByText("SHA-256 of file and object: equal")).toBeVisible();
  const sum = createHash("sha256")
    .update(await readFile(path))
    .digest("hex");
  await expect(proof.getByText(sum)).toHaveCount(2);
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    expect(await grave(page)).toEqual([]);
  }
  await page.setViewportSize({ width: 360, height: 800 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);

  await page.setViewportSize({ width: 1280, height: 900 });
  await openPage(page, `${dashboard.origin}/streams`);
  await expect(page.getByRole("row", { name: /take.mkv/ })).toContainText("5.0 MiB");

  // Without its file only the object can be read.
  await rm(path);
  await openPage(page, `${dashboard.origin}/streams/${id}`);
  await proof.getByRole("button", { name: "Prove it" }).click();
  await expect(proof.getByText("SHA-256 of file and object: equal")).toHaveCount(0);
  const cookie = await signIn(dashboard.origin);
  expect((await mutate(dashboard.origin, "streams.prove", { id: "nobody" }, { cookie })).code).toBe(
    "NOT_FOUND",
  );
});
