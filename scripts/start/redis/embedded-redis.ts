/**
 * The embedded Redis: a real server that saves every write (append-only file), evicts nothing and listens only on the
 * loopback address.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { ChildSpec } from "../child.ts";
import { keptPort, lastPort } from "../kept-port.ts";
import { keptSecret } from "../secrets.ts";
import { StartError } from "../start-error.ts";
import type { RedisBinary } from "./binary.ts";
import { askRedis, shutDownRedis } from "./talk.ts";

/** Loading a large append-only file and saving it at the end both take time. */
const READY_WITHIN_MS = 120_000;
const STOP_WITHIN_MS = 30_000;
const SURVIVOR_WITHIN_MS = 30_000;
const ASK_AGAIN_MS = 50;

export interface EmbeddedRedis {
  readonly spec: ChildSpec;
  /** With the password in it. */
  readonly url: string;
  readonly port: number;
}

export async function embeddedRedis(stateDir: string, binary: RedisBinary): Promise<EmbeddedRedis> {
  const dir = join(stateDir, "redis");
  mkdirSync(dir, { recursive: true });
  const password = keptSecret(join(stateDir, "redis-password"));
  const portFile = join(stateDir, "redis-port");
  const last = lastPort(portFile);
  if (last !== undefined) await endUnrecorded(last, password);
  const port = await keptPort(portFile);
  const config = join(stateDir, "redis.conf");
  writeFileSync(config, redisConfig({ dir, port, password }), { mode: 0o600 });
  const spec: ChildSpec = {
    name: "redis",
    command: binary.command,
    args: [config],
    cwd: dir,
    env: { ...process.env, ...binary.env },
    finalExitCodes: [],
    stopWithinMs: STOP_WITHIN_MS,
    readyWithinMs: READY_WITHIN_MS,
    isReady: async () => (await askRedis(port, password)) === "ready",
  };
  return { spec, port, url: `redis://:${password}@127.0.0.1:${port}` };
}

/** The configuration file's text. */
export function redisConfig({
  dir,
  port,
  password,
}: {
  dir: string;
  port: number;
  password: string;
}): string {
  const lines = [
    "bind 127.0.0.1",
    `port ${port}`,
    `requirepass ${password}`,
    `dir ${JSON.stringify(dir)}`,
    "daemonize no",
    "appendonly yes",
    "appendfsync everysec",
    // A kill during a write leaves half a command at the end; the complete ones before it are loaded.
    "aof-load-truncated yes",
    'save ""',
    "maxmemory-policy noeviction",
  ];
  return `${lines.join("\n")}\n`;
}

/**
 * A Redis that accepts our password on our port uses our files, recorded or not: two on one directory would corrupt it.
 */
async function endUnrecorded(port: number, password: string): Promise<void> {
  const deadline = performance.now() + SURVIVOR_WITHIN_MS;
  for (;;) {
    const answer = await askRedis(port, password);
    if (answer === "silent" || answer === "other") return;
    if (performance.now() > deadline) {
      throw new StartError(
        `an earlier embedded Redis still runs on port ${port} and does not stop: end it and start again`,
      );
    }
    await shutDownRedis(port, password);
    await delay(ASK_AGAIN_MS);
  }
}
