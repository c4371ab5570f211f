/** Who watches the last worker: the dashboard reports that it was lost, and leaves delivering to the next one. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { SECRET, startReceiver } from "../../apps/worker/test/webhook-receiver.ts";
import { startDashboard } from "./support/dashboard.ts";
import { until } from "./support/process.ts";
import { startStack } from "./support/stack.ts";
import { expect, test } from "./support/test.ts";

test.use({ world: "webhooks" });

/** A lease lapses after 15 s; the turn of a killed worker as well. */
const WITHIN_MS = 80_000;

test("the only worker is killed: the dashboard reports it once, and the next worker reports that it is back", async ({
  redis,
}) => {
  await using receiver = await startReceiver();
  const webhooks = { SLUICE_WEBHOOK_URL: receiver.url, SLUICE_WEBHOOK_SECRET: SECRET };
  const stack = await startStack(redis.url);
  const dashboard = await startDashboard(redis.url, webhooks);
  const told = (type: string) => receiver.accepted().filter((message) => message.type === type);
  const isTold = (type: string) => async () => (told(type).length > 0 ? true : undefined);
  try {
    const worker = await stack.start(webhooks);
    await writeFile(join(stack.inbox, "first.mp4"), "x".repeat(1000));
    await writeFile(join(stack.inbox, "first.mp4.done"), "");
    await until("the worker delivers", isTold("stream.completed"), undefined, WITHIN_MS);
    await worker.kill();
    await until("the dashboard delivers", isTold("worker.lost"), dashboard.running, WITHIN_MS);
    expect(told("worker.lost")[0]?.data).toMatchObject({
      worker: "browser-worker",
      source: "browser-tests",
    });
    await stack.start(webhooks);
    await until("the next worker delivers", isTold("worker.recovered"), dashboard.running, WITHIN_MS);
    // A worker that is killed right after an answer has not noted it: that message comes again under its id.
    const messages = (type: string) => new Set(told(type).map(({ id }) => id)).size;
    expect([messages("worker.lost"), messages("stream.completed"), receiver.forged]).toEqual([1, 1, 0]);
  } finally {
    await dashboard.stop();
    await stack.stop();
  }
});
