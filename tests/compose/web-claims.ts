/** The dashboard's image at work: a password made once and kept, a session, an end on SIGTERM. */
import { deepStrictEqual as same, ok } from "node:assert/strict";
import { chownSync, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { until } from "../../apps/worker/test/rig/until.ts";
import type { Claims } from "./claims.ts";
import { Container, NODE_UID } from "./container.ts";
import type { Image } from "./image.ts";
import type { Beside } from "./worker-claims.ts";

const ENDS_WITHIN_MS = 10_000;

export async function webClaims(
  claims: Claims,
  image: Image,
  { home, redisUrl, port }: Beside,
): Promise<void> {
  const volume = join(home, "web");
  mkdirSync(volume);
  chownSync(volume, NODE_UID, NODE_UID);
  const start = () =>
    new Container(image, {
      hostname: "web",
      env: { SLUICE_REDIS_URL: redisUrl, SLUICE_WEB_PORT: String(port) },
      volumes: { [volume]: "/var/lib/sluice" },
    });
  const isHealthy = (container: Container) =>
    container.exec("node", "/sluice/deploy/web-health.mjs").code === 0;
  const password = (container: Container) => /password: (\S+)/.exec(container.output)?.[1];

  await using first = start();
  const made = await claims.holds(
    "the dashboard starts on a read-only root, as node, and makes its password",
    async () => {
      same(image.user, "node");
      await until("the dashboard is healthy", () => isHealthy(first), { everyMs: 500 });
      ok(password(first), first.output);
      same(statSync(join(volume, "web-password")).mode & 0o777, 0o600);
      return password(first);
    },
  );
  await claims.holds("it serves its login page with its styles", async () => {
    const page = await fetch(`http://127.0.0.1:${port}/login`);
    same(page.status, 200);
    const [, style = ""] = /href="(\/_next\/static\/[^"]+\.css)"/.exec(await page.text()) ?? [];
    same((await fetch(`http://127.0.0.1:${port}${style}`)).status, 200, `style sheet ${style}`);
  });
  await claims.holds("SIGTERM ends it with 0", async () => {
    const from = performance.now();
    first.signal("SIGTERM");
    same(await first.exited, 0, first.output);
    ok(performance.now() - from < ENDS_WITHIN_MS);
  });
  await claims.holds("the next one has the same password", async () => {
    await using second = start();
    await until("the dashboard is healthy", () => isHealthy(second), { everyMs: 500 });
    same(password(second), made);
  });
}
