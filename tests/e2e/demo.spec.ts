/** Kill it now: SIGKILL in the middle of an upload, the map goes on, nothing acknowledged is sent twice. */
import { createHash, randomBytes } from "node:crypto";
import { appendFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { query, mutate, signIn } from "./support/api.ts";
import { startDashboard, type Dashboard } from "./support/dashboard.ts";
import { until } from "./support/process.ts";
import { PART, startStack, type Stack } from "./support/stack.ts";
import { expect, openPage, signInAt, test } from "./support/test.ts";

test.use({ world: "demo" });

let stack: Stack;
let demo: Dashboard;

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
  const worker = await stack.start();
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
  expect(await worker.exited).toMatchObject({ signal: "SIGKILL" });
  await appendFile(path, randomBytes(2 * PART));
  await stack.start();
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

test("outside a demo nothing can be killed, and nothing is proved unasked", async ({
  signedIn: page,
  dashboard,
}) => {
  await openPage(page, dashboard.origin);
  await expect(page.getByRole("button", { name: /Kill it now/ })).toHaveCount(0);
  const cookie = await signIn(dashboard.origin);
  expect((await mutate(dashboard.origin, "demo.kill", {}, { cookie })).code).toBe("PRECONDITION_FAILED");
  expect((await query(dashboard.origin, "demo.state", undefined, { cookie })).code).toBe(
    "PRECONDITION_FAILED",
  );
});
