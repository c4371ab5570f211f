/**
 * Stands between workers and the S3 endpoint: every request is noted with what the endpoint made of it, and any can be
 * made to fail the way networks and stores do. It changes no byte of what it lets through.
 */
import { once } from "node:events";
import { Agent, createServer, request, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { crc32 } from "node:zlib";
import { readRequest, type S3Request } from "./s3-request.ts";

/** Times are of this process's monotonic clock, in ms. */
export interface Passage extends S3Request {
  /** The request's head came in. */
  startedAt: number;
  /** The endpoint's answer came in; undefined when it never did. */
  answeredAt: number | undefined;
  /** What the endpoint said; undefined when it was not asked or did not answer. */
  status: number | undefined;
  bytes: number;
  bodyCrc32: number;
  fault: Fault["kind"] | undefined;
}

export type Fault =
  /** The endpoint acts; its answer is lost. */
  | { kind: "lose_reply" }
  /** The connection is reset before the endpoint hears of the request. */
  | { kind: "reset" }
  /** It is reset after so many bytes of the body. */
  | { kind: "cut_body"; afterBytes: number }
  | { kind: "delay"; ms: number }
  /** Answered in the endpoint's place, which does not act. */
  | { kind: "refuse"; status: number; code: string }
  /** The endpoint acts; this is answered instead. */
  | { kind: "answer"; status: number; body: string }
  /** Something else happens first; then the endpoint is asked. */
  | { kind: "before"; act: () => Promise<void> }
  /** Something else happens; the endpoint is not asked, and the connection is reset. */
  | { kind: "instead"; act: () => Promise<void> };

export class Proxy implements AsyncDisposable {
  /** Every request about a file, in the order in which they came; those of a start's probe are none. */
  readonly passages: Passage[] = [];
  /** Requests about a file that have begun and not ended. */
  underWay = 0;
  /** Asked for each request; undefined lets it through. */
  faultFor: (request: S3Request) => Fault | undefined = () => undefined;
  readonly #upstream: URL;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #server = createServer({ requestTimeout: 0 }, (req, res) => {
    this.#pass(req, res).catch((error: unknown) => {
      // The worker was killed, or the fault asked for it: the connection is gone either way.
      res.destroy(error instanceof Error ? error : undefined);
    });
  });
  readonly #watchers = new Set<(passage: Passage) => void>();

  constructor(upstream: string) {
    this.#upstream = new URL(upstream);
  }

  async start(): Promise<string> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Calls back when the head of a request about a file comes in; returns how to stop that. */
  watch(onRequest: (passage: Passage) => void): () => void {
    this.#watchers.add(onRequest);
    return () => void this.#watchers.delete(onRequest);
  }

  acknowledged(operation: Passage["operation"], key?: string): Passage[] {
    return this.passages.filter(
      (one) => one.operation === operation && one.status === 200 && (key === undefined || one.key === key),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
    this.#agent.destroy();
  }

  async #pass(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const asked = readRequest(req.method ?? "GET", req.url ?? "/", "x-amz-copy-source" in req.headers);
    const passage: Passage = {
      ...asked,
      startedAt: performance.now(),
      answeredAt: undefined,
      status: undefined,
      bytes: 0,
      bodyCrc32: 0,
      fault: undefined,
    };
    // The probe of a start asks some forty questions in a row: faults there would only keep workers from starting.
    if (asked.key.includes(".sluice-probe/")) return await this.#forward(req, res, passage, undefined);
    const fault = this.faultFor(asked);
    passage.fault = fault?.kind;
    this.passages.push(passage);
    for (const watcher of this.#watchers) watcher(passage);
    this.underWay += 1;
    try {
      await this.#meet(fault, req, res, passage);
    } finally {
      this.underWay -= 1;
    }
  }

  async #meet(
    fault: Fault | undefined,
    req: IncomingMessage,
    res: ServerResponse,
    passage: Passage,
  ): Promise<void> {
    if (fault?.kind === "reset") return void req.socket.resetAndDestroy();
    if (fault?.kind === "delay") await sleep(fault.ms);
    if (fault?.kind === "before") await fault.act();
    if (fault?.kind === "instead") {
      await fault.act();
      return void req.socket.resetAndDestroy();
    }
    if (fault?.kind === "refuse") {
      req.resume();
      await once(req, "end");
      return answer(res, fault.status, `<Error><Code>${fault.code}</Code><Message>chaos</Message></Error>`);
    }
    await this.#forward(req, res, passage, fault);
  }

  async #forward(
    req: IncomingMessage,
    res: ServerResponse,
    passage: Passage,
    fault: Fault | undefined,
  ): Promise<void> {
    const { expect: _, ...headers } = req.headers;
    const upstream = request({
      host: this.#upstream.hostname,
      port: this.#upstream.port,
      method: req.method,
      path: req.url,
      headers,
      agent: this.#agent,
    });
    // A worker killed in the middle of a body takes its request along.
    req.once("close", () => void (req.complete || upstream.destroy()));
    const replied = once(upstream, "response") as Promise<[IncomingMessage]>;
    replied.catch(() => undefined);
    for await (const chunk of req as AsyncIterable<Buffer>) {
      passage.bytes += chunk.length;
      passage.bodyCrc32 = crc32(chunk, passage.bodyCrc32);
      if (fault?.kind === "cut_body" && passage.bytes > fault.afterBytes) {
        upstream.destroy();
        return void req.socket.resetAndDestroy();
      }
      if (!upstream.write(chunk)) await Promise.race([once(upstream, "drain"), once(upstream, "close")]);
    }
    upstream.end();
    const [reply] = await replied;
    passage.status = reply.statusCode ?? 0;
    passage.answeredAt = performance.now();
    if (fault?.kind === "lose_reply" || fault?.kind === "answer") {
      reply.resume();
      await once(reply, "end");
      if (fault.kind === "answer") return answer(res, fault.status, fault.body);
      return void req.socket.resetAndDestroy();
    }
    res.writeHead(passage.status, reply.headers);
    for await (const chunk of reply) res.write(chunk);
    res.end();
  }
}

function answer(res: ServerResponse, status: number, body: string): void {
  res.writeHead(status, { "content-type": "application/xml" }).end(body);
}
