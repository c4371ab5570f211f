/**
 * `/livez`, `/readyz`, `/metrics`. Alive means that the event loop runs; ready means that the worker works. If Redis or
 * the store is unavailable, the worker is `blocked`, with the reason and, once it has started, with status 200: a
 * restart would not help, and the worker resumes by itself.
 */
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { monitorEventLoopDelay } from "node:perf_hooks";
import type { Service } from "../start/service.ts";

export interface Health {
  /** `starting` and `draining` are not ready. */
  phase: "starting" | "running" | "draining";
  /** What the whole worker waits for, one sentence each. */
  blocked?: string[];
  /** Other problems, one sentence each. */
  concerns: string[];
}

export interface HealthDeps {
  host: string;
  port: number;
  health(): Health;
  metrics(): Promise<{ contentType: string; text: string }>;
  /** The longest recent delay of the event loop, ms. Default: measured. */
  loopDelayMs?(): number;
}

/** A worker whose event loop was blocked for longer cannot keep its lease for much longer either. */
const STUCK_MS = 5_000;

const PLAIN = "text/plain; charset=utf-8";

export class PortTakenError extends Error {
  override readonly name = "PortTakenError";
  readonly exitCode = 78;
}

export class HealthServer implements Service {
  readonly name = "health";
  readonly #deps: HealthDeps;
  readonly #server: Server;
  #delay: LoopDelay | undefined;

  constructor(deps: HealthDeps) {
    this.#deps = deps;
    this.#server = createServer((request, response) => {
      this.#answer(request.url ?? "/", response).catch((error: unknown) => {
        reply(response, 500, PLAIN, `${String(error)}\n`);
      });
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async start(): Promise<void> {
    const { host, port } = this.#deps;
    this.#delay = new LoopDelay();
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", (error: NodeJS.ErrnoException) => reject(listenError(error, host, port)));
      this.#server.listen(port, host, resolve);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#delay?.[Symbol.dispose]();
    if (!this.#server.listening) return;
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  async #answer(url: string, response: ServerResponse): Promise<void> {
    switch (new URL(url, "http://worker").pathname) {
      case "/livez": {
        const ms = this.#deps.loopDelayMs?.() ?? this.#delay?.maxMs ?? 0;
        const words = `the event loop was recently blocked for up to ${Math.round(ms)} ms`;
        return reply(
          response,
          ms < STUCK_MS ? 200 : 503,
          PLAIN,
          `${ms < STUCK_MS ? "alive" : "stuck"}: ${words}\n`,
        );
      }
      case "/readyz":
      case "/healthz": {
        const health = this.#deps.health();
        return reply(response, health.phase === "running" ? 200 : 503, PLAIN, `${readinessOf(health)}\n`);
      }
      case "/metrics": {
        const { contentType, text } = await this.#deps.metrics();
        return reply(response, 200, contentType, text);
      }
      default:
        return reply(response, 404, PLAIN, "here are /livez, /readyz and /metrics\n");
    }
  }
}

function readinessOf({ phase, blocked = [], concerns }: Health): string {
  if (phase === "draining") return phase;
  if (blocked.length > 0) return `blocked: ${[...blocked, ...concerns].join("; ")}`;
  return phase === "running" && concerns.length > 0 ? `degraded: ${concerns.join("; ")}` : phase;
}

function reply(response: ServerResponse, status: number, type: string, text: string): void {
  response.writeHead(status, { "content-type": type, "cache-control": "no-store" });
  response.end(text);
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): Error {
  if (error.code !== "EADDRINUSE") return error;
  return new PortTakenError(
    `port ${port} on ${host} is taken: stop what uses it, or set SLUICE_HTTP_PORT to another one (0 takes any)`,
  );
}

/** A delay is remembered for one to two of these windows. */
const WINDOW_MS = 10_000;
const RESOLUTION_MS = 50;

/** How long the event loop was recently blocked: by the process itself, or by a machine without free CPU time. */
class LoopDelay implements Disposable {
  readonly #histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  readonly #timer: NodeJS.Timeout;
  #before = 0;

  constructor() {
    this.#histogram.enable();
    this.#timer = setInterval(() => {
      this.#before = this.#now();
      this.#histogram.reset();
    }, WINDOW_MS).unref();
  }

  /** The longest delay of the last ten to twenty seconds, ms. */
  get maxMs(): number {
    return Math.max(this.#before, this.#now());
  }

  #now(): number {
    return this.#histogram.count === 0 ? 0 : this.#histogram.max / 1e6;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#histogram.disable();
  }
}
