/**
 * Starts the endpoint: once the promise resolves it answers; once it is disposed nothing of it runs and its directory
 * is free.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { AccessEntry } from "./access-log.ts";
import type { Credentials } from "./auth/authenticate.ts";
import { Faults } from "./faults.ts";
import { ADMIN_PATH, handleAdmin } from "./http/admin.ts";
import { handleRequest, type HandlerOptions } from "./http/request-handler.ts";
import { LIMITS } from "./limits.ts";
import type { Quirks } from "./quirks.ts";
import { openStore } from "./store/store.ts";

export interface LocalS3Options {
  /** Created when missing; one process at a time. */
  readonly dir: string;
  readonly credentials: Credentials;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: any free port. */
  readonly port?: number;
  /** Default us-east-1. */
  readonly region?: string;
  /** Created at the start when missing. */
  readonly buckets?: readonly string[];
  /** PEM; with them the endpoint speaks https. */
  readonly tls?: { readonly cert: string; readonly key: string };
  readonly faults?: Faults;
  readonly quirks?: Quirks;
  /** Headers of every reply by which the store names itself; default: `server: local-s3`. */
  readonly named?: Readonly<Record<string, string>>;
  /** Default true. False: safe against kills, not against power loss. */
  readonly fsync?: boolean;
  /** Default false: `/-/faults` does not exist. */
  readonly admin?: boolean;
  readonly onRequest?: (entry: AccessEntry) => void;
  /** Default: printed on standard error. */
  readonly onError?: (error: unknown) => void;
  readonly now?: () => number;
}

export interface LocalS3 extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly faults: Faults;
}

/** Rejects in plain words when the directory is in use or the port is taken. */
export async function startLocalS3(options: LocalS3Options): Promise<LocalS3> {
  const {
    dir,
    host = "127.0.0.1",
    port = 0,
    region = "us-east-1",
    tls,
    faults = new Faults(),
    now = Date.now,
  } = options;
  const store = await openStore(dir, options.fsync ?? true, options.quirks?.versioned === true);
  try {
    for (const bucket of options.buckets ?? []) {
      if (!store.buckets.exists(bucket)) await store.buckets.create(bucket, now());
    }
    const running = new Set<Promise<void>>();
    const handlerOptions: HandlerOptions = {
      endpoint: {
        store,
        quirks: options.quirks ?? {},
        region,
        named: options.named ?? { server: "local-s3" },
        scheme: tls === undefined ? "http" : "https",
        nowMs: now,
      },
      credentials: options.credentials,
      faults,
      onRequest: options.onRequest ?? (() => {}),
      onError: options.onError ?? ((error) => console.error("local-s3:", error)),
    };
    const serve = (req: IncomingMessage, res: ServerResponse, waits: boolean): void => {
      const admin = options.admin === true && (req.url ?? "").split("?")[0] === ADMIN_PATH;
      const work = admin
        ? handleAdmin(req, res, faults).catch(
            (error: unknown) => void res.destroy(error instanceof Error ? error : undefined),
          )
        : handleRequest(req, res, waits, handlerOptions);
      running.add(work);
      void work.finally(() => running.delete(work));
    };
    // A part may take any time; a body that makes no progress is given up by its reader.
    const settings = { requestTimeout: 0, keepAliveTimeout: LIMITS.keepAliveMs, noDelay: true };
    const server: Server =
      tls === undefined ? createServer(settings) : createTlsServer({ ...settings, ...tls });
    server.on("request", (req, res) => serve(req, res, false));
    server.on("checkContinue", (req, res) => serve(req, res, true));
    const address = await listen(server, port, host);
    const shown = host.includes(":") ? `[${host}]` : host;
    let stopping: Promise<void> | undefined;
    return {
      url: `${tls === undefined ? "http" : "https"}://${shown}:${address.port}`,
      port: address.port,
      faults,
      [Symbol.asyncDispose]: () => (stopping ??= stop(server, running, store)),
    };
  } catch (error) {
    await store[Symbol.asyncDispose]();
    throw error;
  }
}

async function listen(server: Server, port: number, host: string): Promise<AddressInfo> {
  server.listen(port, host);
  try {
    await once(server, "listening");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EADDRINUSE") {
      throw new Error(`port ${port} on ${host} is taken; choose another with --port`, { cause: error });
    }
    throw error;
  }
  return server.address() as AddressInfo;
}

/** Accepts nothing new, gives replies in flight a moment, closes the rest, then releases the directory. */
async function stop(
  server: Server,
  running: ReadonlySet<Promise<void>>,
  store: AsyncDisposable,
): Promise<void> {
  const closed = once(server, "close");
  server.close();
  server.closeIdleConnections();
  const grace = new AbortController();
  await Promise.race([
    Promise.allSettled(running),
    sleep(LIMITS.stopGraceMs, undefined, { signal: grace.signal }),
  ]);
  grace.abort();
  server.closeAllConnections();
  await Promise.allSettled(running);
  await closed;
  await store[Symbol.asyncDispose]();
}
