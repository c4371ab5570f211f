/**
 * The only way to connect, for worker and dashboard: every command has a deadline, the client never repeats an
 * unanswered command on its own, nothing queues up while Redis is unavailable, and reconnects are spread out.
 */
import { connect } from "node:net";
import { LIMITS } from "@sluice/core";
import { Cluster, Redis, type RedisOptions, type RedisValue, type Result } from "ioredis";
import type { RedisTarget } from "./redis-url.ts";

declare module "ioredis" {
  // The client has a Buffer variant of every command; its types lack these two.
  interface RedisCommander<Context> {
    evalshaBuffer(sha: string, numberOfKeys: number, ...keysAndArgs: RedisValue[]): Result<unknown, Context>;
    evalBuffer(source: string, numberOfKeys: number, ...keysAndArgs: RedisValue[]): Result<unknown, Context>;
  }
}

export type RedisClient = Redis | Cluster;

export const RECONNECT_FIRST_MS = 200;
export const RECONNECT_MOST_MS = 5_000;

/** Between 0.2 s and 5 s with full jitter, so that not all clients connect to a restarted Redis at once. */
export function reconnectDelayMs(attempt: number, random = Math.random()): number {
  const most = Math.min(RECONNECT_MOST_MS, RECONNECT_FIRST_MS * 2 ** Math.min(attempt, 16));
  return Math.round(RECONNECT_FIRST_MS + random * (most - RECONNECT_FIRST_MS));
}

export interface ConnectOptions {
  /** Shown by CLIENT LIST. */
  name: string;
  /**
   * For blocking reads: this connection waits up to this long for new entries, and must not be used for anything else.
   */
  blockMs?: number;
}

/** Also matches inside the error of a script. */
const READONLY = /READONLY/;

function sharedOptions(options: ConnectOptions) {
  return {
    connectionName: options.name,
    connectTimeout: LIMITS.redisCommandMs,
    commandTimeout: LIMITS.redisCommandMs + (options.blockMs ?? 0),
    autoResendUnfulfilledCommands: false,
    // A command never waits for a reconnect: the caller decides whether to wait.
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    // Reconnecting finds the promoted replica; repeating the command is up to the caller.
    reconnectOnError: (error: Error) => READONLY.test(error.message),
    protocol: 2,
    lazyConnect: true,
  } satisfies RedisOptions;
}

/** Not connected yet: `whenReady` connects and waits. Errors of the connection are always reported to `onError`. */
export function createClient(
  target: RedisTarget,
  options: ConnectOptions,
  onError: (error: Error) => void,
): RedisClient {
  const client = target.kind === "cluster" ? clusterClient(target, options) : singleClient(target, options);
  if (target.kind === "single" && !target.tls) explainRefusals(client, target, onError);
  else client.on("error", onError);
  return client;
}

const PROTECTED_MODE =
  "Redis runs in protected mode: it has no password, and refuses connections from other hosts. " +
  "Give it a password (requirepass) and write that into SLUICE_REDIS_URL; or, on a network that keeps others out, set protected-mode no";

/**
 * A Redis in protected mode sends an explanation and closes the connection before it reads a command. The client has
 * written by then, so it gets a closed connection (EPIPE, ECONNRESET, or no error at all) and never reads the reason.
 */
function explainRefusals(
  client: RedisClient,
  target: { host: string; port: number },
  onError: (error: Error) => void,
): void {
  let isGreeting = false;
  let timesReady = 0;
  const explain = async (otherwise?: Error): Promise<void> => {
    const before = timesReady;
    const error = (await isProtected(target)) ? new Error(PROTECTED_MODE) : otherwise;
    // An explanation after the connection works again would look like a new error.
    if (error && timesReady === before) onError(error);
  };
  client.on("connect", () => (isGreeting = true));
  client.on("ready", () => {
    isGreeting = false;
    timesReady += 1;
  });
  client.on("error", (error: Error) => {
    const wasCut = isGreeting && /EPIPE|ECONNRESET/.test(error.message);
    isGreeting = false;
    if (wasCut) void explain(error);
    else onError(error);
  });
  client.on("close", () => {
    if (isGreeting) void explain();
    isGreeting = false;
  });
}

const LISTEN_MS = 1_000;
const MOST_CHARS = 1_024;

/** Checks with a connection that sends nothing, and can therefore read everything the server sent before it closed. */
function isProtected({ host, port }: { host: string; port: number }): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    let said = "";
    socket.setEncoding("latin1").setTimeout(LISTEN_MS, () => socket.destroy());
    socket.on("data", (text: string) => {
      said += text;
      if (said.length > MOST_CHARS) socket.destroy();
    });
    // The client meets any other problem of the connection itself, and reports it.
    socket.on("error", () => socket.destroy());
    socket.on("close", () => resolve(/^-DENIED .*protected mode/.test(said)));
  });
}

function singleClient(target: Exclude<RedisTarget, { kind: "cluster" }>, options: ConnectOptions): Redis {
  const common = {
    ...sharedOptions(options),
    ...credentials(target),
    db: target.db,
    retryStrategy: (attempt: number) => reconnectDelayMs(attempt),
    enableAutoPipelining: options.blockMs === undefined,
  } satisfies RedisOptions;
  if (target.kind === "sentinel") {
    return new Redis({
      ...common,
      sentinels: target.nodes,
      name: target.name,
      sentinelRetryStrategy: (attempt: number) => reconnectDelayMs(attempt),
      ...(target.tls ? { enableTLSForSentinelMode: true, tls: {}, sentinelTLS: {} } : {}),
    });
  }
  return new Redis({ ...common, host: target.host, port: target.port, ...(target.tls ? { tls: {} } : {}) });
}

function clusterClient(target: Extract<RedisTarget, { kind: "cluster" }>, options: ConnectOptions): Cluster {
  return new Cluster(target.nodes, {
    enableOfflineQueue: false,
    clusterRetryStrategy: (attempt: number) => reconnectDelayMs(attempt),
    // While a slot moves, single commands are redirected (ASK) or repeated (TRYAGAIN). In a pipeline the client follows
    // a redirection only if all commands of it got the same one; the others would fail.
    enableAutoPipelining: false,
    lazyConnect: true,
    // Managed clusters identify their nodes by certificate name, not by address.
    ...(target.tls ? { dnsLookup: sameAddress } : {}),
    redisOptions: { ...sharedOptions(options), ...credentials(target), ...(target.tls ? { tls: {} } : {}) },
  });
}

function sameAddress(address: string, done: (error: null, address: string) => void): void {
  done(null, address);
}

function credentials(target: RedisTarget): { username?: string; password?: string } {
  return {
    ...(target.username === undefined ? {} : { username: target.username }),
    ...(target.password === undefined ? {} : { password: target.password }),
  };
}

/** Resolves once Redis answers commands; keeps trying until the signal aborts (then rejects with its reason). */
export async function whenReady(client: RedisClient, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  if (client.status === "ready") return;
  await new Promise<void>((resolve, reject) => {
    const settle = (act: () => void) => () => {
      client.off("ready", onReady);
      client.off("end", onEnd);
      signal?.removeEventListener("abort", onAbort);
      act();
    };
    const onReady = settle(resolve);
    const onEnd = settle(() => reject(new Error("the connection to Redis was closed")));
    const onAbort = settle(() => reject(signal?.reason as Error));
    client.on("ready", onReady);
    client.on("end", onEnd);
    signal?.addEventListener("abort", onAbort);
    // The client itself retries a failed first attempt; the error went to the error listener.
    if (client.status === "wait") client.connect().catch(() => undefined);
  });
}

/** Waits for pending answers, then closes; does not wait for a Redis that does not answer. */
export async function closeClient(client: RedisClient): Promise<void> {
  if (client.status === "ready") {
    await client.quit().catch(() => client.disconnect());
    return;
  }
  client.disconnect();
}
