/** Each fault hits in the middle of a file of 300 MiB, as an operator or a machine would cause it. */
import { ok, strictEqual as same } from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Claims } from "./claims.ts";
import { MIB, type Stack } from "./stack.ts";

const BYTES = 300 * MIB;
/** Of the 37 whole parts of such a file: when so many have been sent, a fault comes too late. */
const TOO_LATE = 30;
/** Slow enough for a fault to come in time; Compose reads this file by itself. */
const SLOWLY = "services: { worker: { environment: { SLUICE_BANDWIDTH: 30MiB/s } } }\n";

export async function faultClaims(claims: Claims, stack: Stack): Promise<void> {
  writeFileSync(join(stack.directory, "docker-compose.override.yml"), SLOWLY);
  await claims.must("the worker is started again, slowed down", () =>
    stack.compose(["up", "-d", "--wait", "worker"], 240),
  );
  const inTheMiddle = async (name: string, fault: () => Promise<void>): Promise<void> => {
    await stack.put(name, BYTES);
    await stack.inFlight(name, 3);
    ok(stack.partsOf(name) < TOO_LATE, `${stack.partsOf(name)} parts had been sent before the fault`);
    await fault();
    await stack.completes(name);
  };
  await claims.holds("the worker is killed, and started again", () =>
    inTheMiddle("killed.bin", async () => {
      await stack.docker(["kill", "-s", "KILL", await stack.container("worker")]);
      await stack.compose(["up", "-d", "worker"]);
    }),
  );
  await claims.holds("the worker dies by itself: Docker starts it again", () =>
    inTheMiddle("crashed.bin", async () => {
      process.kill(Number(await stack.inspect("worker", "{{.State.Pid}}")), "SIGKILL");
    }),
  );
  await claims.holds("Redis is restarted", () =>
    inTheMiddle("redis.bin", async () => void (await stack.compose(["restart", "redis"]))),
  );
  await claims.holds("stop with parts in flight ends with 0 within 35 s, and the next start resumes", () =>
    inTheMiddle("stopped.bin", async () => {
      const from = performance.now();
      await stack.compose(["stop", "worker"]);
      ok(performance.now() - from < 35_000);
      same(await stack.inspect("worker", "{{.State.ExitCode}}"), "0");
      await stack.compose(["up", "-d", "worker"]);
    }),
  );
  await claims.holds("the worker's container is recreated", () =>
    inTheMiddle(
      "recreated.bin",
      async () => void (await stack.compose(["up", "-d", "--force-recreate", "worker"])),
    ),
  );
  await claims.holds("down, and up again", () =>
    inTheMiddle("down.bin", async () => {
      await stack.compose(["down"], 180);
      await stack.compose(["up", "-d", "--wait"], 240);
      await stack.follow();
    }),
  );
  await claims.holds("S3 is away: the worker says so, fails nothing, and resumes by itself", () =>
    inTheMiddle("outage.bin", async () => {
      await stack.compose(["stop", "s3"]);
      await stack.until(
        "the metric says that the store is blocked",
        async () => {
          const reply = await fetch(`http://127.0.0.1:${stack.ports.worker}/metrics`);
          return /^sluice_store_blocked\{.*\} 1$/m.test(await reply.text());
        },
        90,
      );
      await stack.compose(["start", "s3"]);
      await stack.follow();
    }),
  );
  await claims.holds("Redis is lost with its volume: the upload is found again in S3", () =>
    inTheMiddle("lost.bin", async () => {
      await stack.compose(["rm", "-sf", "redis"]);
      const removed = await stack.docker(["volume", "rm", "sluice_redis"]);
      same(removed.code, 0, removed.all);
      await stack.compose(["up", "-d", "redis"]);
    }),
  );
  await claims.holds("no start after the first says that the bucket was missing", async () => {
    const said = await stack.compose(["logs", "--no-log-prefix", "worker"]);
    ok(!said.includes("was missing and has been created"), "it is said again");
  });
}
