/**
 * A real redis-server for one test file: its own port, its own directory, gone with the test. It can be stopped,
 * started again on the same data, killed and frozen, so that tests can rehearse what happens to Redis.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { freePort } from "./free-port.ts";

export interface RedisOptions {
  /** Keeps what it acknowledged across `kill`. */
  appendonly?: boolean;
  /** A cluster of one node that serves all slots. */
  cluster?: boolean;
  /** A sentinel instead of a server: it watches the primary on this port as `mymaster`. */
  sentinelOf?: number;
  /** More arguments, as on the command line: "--maxmemory", "3mb". */
  args?: readonly string[];
}

export interface TestRedis extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  readonly url: string;
  readonly directory: string;
  /** Ends it politely and removes its directory. */
  stop(): Promise<void>;
  /** Ends it politely and starts it again on the same port and data. */
  restart(): Promise<void>;
  /** SIGKILL; `start` brings it back. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** SIGSTOP: it accepts connections and answers nothing. */
  freeze(): void;
  /** SIGCONT. */
  thaw(): void;
}

const HOST = "127.0.0.1";
const START_MS = 15_000;
/** Alone, a node does not know its own address, and clients would find none in its list of slots. */
const CLUSTER = [
  "--cluster-enabled",
  "yes",
  "--cluster-require-full-coverage",
  "no",
  "--cluster-announce-ip",
  HOST,
];

export async function startRedis(options: RedisOptions = {}): Promise<TestRedis> {
  const directory = await mkdtemp(join(tmpdir(), "sluice-redis-"));
  const port = await freePort();
  let child = await launch(port, directory, options);
  if (options.cluster) await formCluster(port);

  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    // A frozen process takes no signal but these.
    child.kill("SIGCONT");
    child.kill(signal);
    await exited;
  };
  const start = async () => {
    child = await launch(port, directory, options);
  };
  const stop = async () => {
    await end("SIGKILL");
    await rm(directory, { recursive: true, force: true });
  };
  return {
    host: HOST,
    port,
    url: options.cluster ? `redis+cluster://${HOST}:${port}` : `redis://${HOST}:${port}`,
    directory,
    stop,
    restart: async () => {
      await end("SIGTERM");
      await start();
    },
    kill: () => end("SIGKILL"),
    start,
    freeze: () => void child.kill("SIGSTOP"),
    thaw: () => void child.kill("SIGCONT"),
    [Symbol.asyncDispose]: stop,
  };
}

async function launch(port: number, directory: string, options: RedisOptions): Promise<ChildProcess> {
  const args =
    options.sentinelOf === undefined
      ? serverArgs(port, directory, options)
      : await sentinelArgs(port, directory, options.sentinelOf);
  const child = spawn("redis-server", args, { stdio: ["ignore", "ignore", "inherit"] });
  // A test process that dies takes its server along.
  const endWithUs = () => void child.kill("SIGKILL");
  process.once("exit", endWithUs);
  child.once("exit", () => process.off("exit", endWithUs));
  const failed = once(child, "exit").then(([code]) => {
    throw new Error(`redis-server ended at once with code ${String(code)}`);
  });
  await Promise.race([answers(port), failed]);
  failed.catch(() => undefined);
  return child;
}

function serverArgs(port: number, directory: string, options: RedisOptions): string[] {
  return [
    ["--port", String(port), "--bind", HOST, "--dir", directory, "--save", "", "--loglevel", "warning"],
    // Written before each answer, as a process that is killed needs it. By default a write waits for a sync that a busy
    // disk has not finished, up to two seconds after the answer.
    ["--appendonly", options.appendonly ? "yes" : "no", "--appendfsync", "no"],
    options.cluster ? CLUSTER : [],
    options.args ?? [],
  ].flat();
}

/** A sentinel keeps its state in its configuration file. */
async function sentinelArgs(port: number, directory: string, primary: number): Promise<string[]> {
  const file = join(directory, "sentinel.conf");
  await writeFile(
    file,
    `port ${port}\nbind ${HOST}\ndir ${directory}\nsentinel monitor mymaster ${HOST} ${primary} 1\n`,
  );
  return [file, "--sentinel"];
}

/** Until PING is answered, which a server that is loading its data does not do. */
async function answers(port: number): Promise<void> {
  const deadline = Date.now() + START_MS;
  for (;;) {
    const probe = new Redis({
      host: HOST,
      port,
      lazyConnect: true,
      retryStrategy: () => null,
      maxRetriesPerRequest: 0,
    });
    probe.on("error", () => undefined);
    try {
      await probe.connect();
      await probe.ping();
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    } finally {
      probe.disconnect();
    }
  }
}

async function formCluster(port: number): Promise<void> {
  const node = new Redis({ host: HOST, port });
  try {
    await node.cluster("ADDSLOTSRANGE", 0, 16_383);
    const deadline = Date.now() + START_MS;
    while (!(await node.cluster("INFO")).includes("cluster_state:ok")) {
      if (Date.now() > deadline) throw new Error("the cluster did not come up");
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  } finally {
    node.disconnect();
  }
}
