/** A server before the store that answers some of its requests in its place, before or after they were carried out. */
import { once } from "node:events";
import {
  Agent,
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Answer } from "./answers.ts";

interface Asked {
  operation: string;
  key: string;
}

interface Interference {
  answer: Answer;
  /** The store carries the request out all the same. */
  acted: boolean;
}

export class Front implements AsyncDisposable {
  /** Undefined: the store answers. */
  rule: ((asked: Asked) => Interference | undefined) | undefined;
  readonly asked: Asked[] = [];
  readonly #target: URL;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #server: Server;

  private constructor(target: string) {
    this.#target = new URL(target);
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch(() => response.destroy());
    });
  }

  static async before(target: string): Promise<Front> {
    const front = new Front(target);
    front.#server.listen(0, "127.0.0.1");
    await once(front.#server, "listening");
    return front;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked = whatIsAsked(request);
    this.asked.push(asked);
    const interference = this.rule?.(asked);
    if (interference === undefined) return await this.#forward(request, response);
    if (interference.acted) await this.#forward(request, undefined);
    else await drained(request);
    await give(response, interference.answer);
  }

  /** Without a response, what the store says is thrown away. */
  async #forward(request: IncomingMessage, response: ServerResponse | undefined): Promise<void> {
    const { hostname, port } = this.#target;
    const { method, url: path, headers } = request;
    const onward = httpRequest({ agent: this.#agent, hostname, port, method, path, headers });
    request.pipe(onward);
    const [reply] = (await once(onward, "response")) as [IncomingMessage];
    if (response === undefined) return await drained(reply);
    response.writeHead(reply.statusCode ?? 502, reply.headers);
    reply.pipe(response);
    await once(response, "close");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#agent.destroy();
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}

async function drained(stream: IncomingMessage): Promise<void> {
  stream.resume();
  if (!stream.readableEnded) await once(stream, "end");
}

async function give(
  response: ServerResponse,
  { status, headers, body, cutAfter, everyMs }: Answer,
): Promise<void> {
  const bytes = Buffer.from(body);
  const bodiless = status === 204 || status === 304;
  response.writeHead(status, { ...headers, ...(bodiless ? {} : { "content-length": String(bytes.length) }) });
  if (cutAfter !== undefined) {
    response.write(bytes.subarray(0, cutAfter));
    await sleep(5);
    response.destroy();
  } else if (everyMs === undefined) response.end(bodiless ? undefined : bytes);
  else {
    for (let at = 0; at < bytes.length; at += 16) {
      response.write(bytes.subarray(at, at + 16));
      await sleep(everyMs);
    }
    response.end();
  }
}

function whatIsAsked({ method = "", url = "", headers }: IncomingMessage): Asked {
  const { pathname, searchParams } = new URL(url, "http://store");
  const [, key = ""] = /^\/[^/]+\/(.*)$/.exec(decodeURIComponent(pathname)) ?? [];
  const operation = operationOf(method, searchParams, headers["x-amz-copy-source"] !== undefined);
  return { operation, key: key === "" ? (searchParams.get("prefix") ?? "") : key };
}

function operationOf(method: string, query: URLSearchParams, copies: boolean): string {
  const [uploads, upload] = [query.has("uploads"), query.has("uploadId")];
  switch (method) {
    case "HEAD":
      return "HeadObject";
    case "PUT":
      return query.has("partNumber") ? (copies ? "UploadPartCopy" : "UploadPart") : "PutObject";
    case "POST":
      return uploads ? "CreateMultipartUpload" : "CompleteMultipartUpload";
    case "DELETE":
      return upload ? "AbortMultipartUpload" : "DeleteObject";
    default:
      if (query.has("list-type")) return "ListObjectsV2";
      if (query.has("lifecycle")) return "GetBucketLifecycleConfiguration";
      return uploads ? "ListMultipartUploads" : upload ? "ListParts" : "GetObject";
  }
}
