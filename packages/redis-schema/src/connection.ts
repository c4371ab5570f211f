/**
 * One way to connect, for worker and dashboard: every command has a deadline, no unanswered command is sent again
 * behind our back, nothing queues up while Redis is away, and reconnecting is spread out.
 */
import { connect } from "node:net";
import { LIMITS } from "@sluice/core";
import { Cluster, Redis, type RedisOptions, type RedisValue, type Result } from "ioredis";
import type { RedisTarget } from "./redis-url.ts";

declare module "ioredis" {
  // The client has a Buffer form of every command; its types leave these two out.
  interface RedisCommander<Context> {
    evalshaBuffer(sha: string, numberOfKeys: number, ...keysAndArgs: RedisValue[]): Result<unknown, Context>;
    evalBuffer(source: string, numberOfKeys: number, ...keysAndArgs: RedisValue[]): Result<unknown, Context>;
  }
}

export type RedisClient = Redis | Cluster;

export const RECONNECT_FIRST_MS = 200;
export const RECONNECT_MOST_MS = 5_000;

/** Between 0.2 s and 5 s, full jitter: a restarted Redis is not met by everyone at once. */
export function reconnectDelayMs(attempt: number, random = Math.random()): number {
  const most = Math.min(RECONNECT_MOST_MS, RECONNECT_FIRST_MS * 2 ** Math.min(attempt, 16));
  return Math.round(RECONNECT_FIRST_MS + random * (most - RECONNECT_FIRST_MS));
}

export interface ConnectOptions {
  /** Shown by CLIENT LIST. */
  name: string;
  /** For blocking reads: this connection waits up to so long for new entries. Such a connection is used for nothing else. */
  blockMs?: number;
}

/** Also inside the error of a script. */
const READONLY = /READONLY/;

function sharedOptions(options: ConnectOptions) {
  return {
    connectionName: options.name,
    connectTimeout: LIMITS.redisCommandMs,
    commandTimeout: LIMITS.redisCommandMs + (options.blockMs ?? 0),
    autoResendUnfulfilledCommands: false,
    // A command waits for no reconnect: the caller waits, and decides.
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    // A promoted replica is found by connecting anew; the command itself is the caller's to repeat.
    reconnectOnError: (error: Error) => READONLY.test(error.message),
    protocol: 2,
    lazyConnect: true,
  } satisfies RedisOptions;
}

/** Not connected yet: `whenReady` connects and waits. Errors of the connection go to `onError`, never unheard. */
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
 * A Redis in protected mode says so and closes the connection before it reads a command. The client has written by then,
 * so it meets a closed connection (EPIPE, ECONNRESET, or no error at all) and never reads the reason.
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
    // An explanation that comes after the trouble is over would be taken for new trouble.
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

/** Asked by a connection that only listens: one that has sent nothing reads all that was said before the end. */
function isProtected({ host, port }: { host: string; port: number }): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    let said = "";
    socket.setEncoding("latin1").setTimeout(LISTEN_MS, () => socket.destroy());
    socket.on("data", (text: string) => {
      said += text;
      if (said.length > MOST_CHARS) socket.destroy();
    });
    // Whatever is wrong with this connection, the client meets it too, and says it.
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
    // While a slot moves, each command is redirected by itself (ASK) or asked again (TRYAGAIN). In a pipeline the client
    // follows a redirection only where all commands of it got the same; the others would fail.
    enableAutoPipelining: false,
    lazyConnect: true,
    // Managed clusters name their nodes by certificate name, not by address.
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

/** Resolves once commands are answered; keeps trying until the signal ends it (then rejects with its reason). */
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
    // A first attempt that fails is retried by the client itself; its error went to the error listener.
    if (client.status === "wait") client.connect().catch(() => undefined);
  });
}

/** Answers what is under way, then closes; a Redis that does not answer is left. */
export async function closeClient(client: RedisClient): Promise<void> {
  if (client.status === "ready") {
    await client.quit().catch(() => client.disconnect());
    return;
  }
  client.disconnect();
}
