/** The program that read the dashboard's log has ended: pages are answered as before, and nothing spins. */
import { readFile } from "node:fs/promises";
import { startRedis } from "@sluice/redis-schema/testing";
import { startDashboard } from "./support/dashboard.ts";
import { until } from "./support/process.ts";
import { expect, test } from "./support/test.ts";

test.use({ world: "unread-log" });

const LOOK_MS = 3_000;

/** User and system time of a process and its threads, in hundredths of a second. */
async function ticksOf(pid: number | undefined): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8");
  const [, , , , , , , , , , , user = 0, system = 0] = text
    .slice(text.lastIndexOf(")") + 2)
    .split(" ")
    .map(Number);
  return user + system;
}

test("a log that nobody reads any longer stops nothing", async () => {
  await using redis = await startRedis();
  const dashboard = await startDashboard(redis.url);
  const { child } = dashboard.running;
  try {
    child.stdout?.destroy();
    child.stderr?.destroy();
    // It has something to log from now on.
    await redis.kill();
    await until("the page says so", async () => {
      const page = await fetch(`${dashboard.origin}/login`);
      return page.status === 200 ? true : undefined;
    });
    const before = await ticksOf(child.pid);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    expect((await ticksOf(child.pid)) - before).toBeLessThan(LOOK_MS / 10 / 2);
    expect((await fetch(`${dashboard.origin}/login`)).status).toBe(200);
  } finally {
    await dashboard.stop();
  }
});
