/** A primary, a replica and three sentinels on loopback, two of which decide. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "../../../apps/worker/test/rig/until.ts";
import { freePort } from "../../../packages/redis-schema/test/free-port.ts";
import { startRedis, type TestRedis } from "../../../packages/redis-schema/test/redis-server.ts";
import { ask } from "./redis-cluster.ts";

export const MASTER = "mymaster";
const SENTINELS = 3;
const DOWN_AFTER_MS = 1_500;

export interface RedisSentinels extends AsyncDisposable {
  readonly url: string;
  readonly ports: readonly number[];
  readonly primary: TestRedis;
  readonly replica: TestRedis;
}

export async function startRedisSentinels(): Promise<RedisSentinels> {
  // What was started ends also when a later piece does not come up.
  await using stack = new AsyncDisposableStack();
  const primary = stack.use(await startRedis({ appendonly: true }));
  const replica = stack.use(
    await startRedis({
      appendonly: true,
      args: ["--replicaof", "127.0.0.1", String(primary.port)],
    }),
  );
  await until("the replica has caught up", async () =>
    (await ask(replica.port, (node) => node.info("replication"))).includes("master_link_status:up"),
  );
  const directory = await mkdtemp(join(tmpdir(), "sluice-sentinel-"));
  const sentinels = await Promise.all(
    Array.from({ length: SENTINELS }, (_, at) => startSentinel(join(directory, `${at}.conf`), primary.port)),
  );
  for (const { stop } of sentinels) stack.defer(stop);
  const ports = sentinels.map(({ port }) => port);
  const knows = async (port: number) => {
    const flat = (await ask(port, (node) => node.call("SENTINEL", "MASTER", MASTER))) as string[];
    const value = (name: string) => flat[flat.indexOf(name) + 1];
    return value("num-slaves") === "1" && value("num-other-sentinels") === String(SENTINELS - 1);
  };
  await until("the sentinels know each other and the replica", async () =>
    (await Promise.all(ports.map(knows))).every(Boolean),
  );
  const owned = stack.move();
  return {
    url: `redis+sentinel://${ports.map((port) => `127.0.0.1:${port}`).join(",")}/${MASTER}`,
    ports,
    primary,
    replica,
    async [Symbol.asyncDispose]() {
      await owned.disposeAsync();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function startSentinel(
  file: string,
  primary: number,
): Promise<{ port: number; stop(): Promise<void> }> {
  const port = await freePort();
  const lines = [
    `port ${port}`,
    "bind 127.0.0.1",
    `sentinel monitor ${MASTER} 127.0.0.1 ${primary} 2`,
    `sentinel down-after-milliseconds ${MASTER} ${DOWN_AFTER_MS}`,
    `sentinel failover-timeout ${MASTER} 6000`,
  ];
  await writeFile(file, `${lines.join("\n")}\n`);
  const child = spawn("redis-server", [file, "--sentinel"], { stdio: "ignore" });
  const exited = once(child, "exit");
  const endWithUs = () => void child.kill("SIGKILL");
  process.once("exit", endWithUs);
  return {
    port,
    async stop() {
      process.off("exit", endWithUs);
      child.kill("SIGKILL");
      await exited;
    },
  };
}
