/** Stands between worker and store, hands every byte on unchanged, and remembers what was asked and answered. */
import { once } from "node:events";
import {
  createServer,
  request as plain,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import { request as encrypted } from "node:https";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream";
import aws4 from "aws4";
import { HOST, type StoreServer } from "../servers/store-server.ts";

export interface Asked {
  method: string;
  /** Below the bucket, decoded; "" for the bucket itself. */
  key: string;
  query: URLSearchParams;
  /** Undefined until it is answered. */
  status: number | undefined;
}

export interface Witness extends AsyncDisposable {
  readonly url: string;
  readonly asked: readonly Asked[];
  /** Numbers of the parts of this key that the store has acknowledged, in rising order. */
  parts(key: string): number[];
  /** Answered with success: objects written whole under this key. */
  puts(key: string): number;
}

export async function startWitness(store: StoreServer): Promise<Witness> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    const entry = entryOf(request);
    asked.push(entry);
    handOn(store, request, response, entry);
  });
  server.listen(0, HOST);
  await once(server, "listening");
  const granted = (key: string) =>
    asked.filter((entry) => entry.method === "PUT" && entry.key === key && entry.status === 200);
  return {
    url: `http://${HOST}:${(server.address() as AddressInfo).port}`,
    asked,
    parts: (key) =>
      granted(key)
        .map(({ query }) => Number(query.get("partNumber") ?? 0))
        .filter((number) => number > 0)
        .toSorted((a, b) => a - b),
    puts: (key) => granted(key).filter(({ query }) => !query.has("partNumber")).length,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function entryOf({ method = "", url = "/" }: IncomingMessage): Asked {
  const { pathname, searchParams } = new URL(url, "http://witness");
  const [, , ...key] = pathname.split("/");
  return { method, key: decodeURIComponent(key.join("/")), query: searchParams, status: undefined };
}

/** The Host header is signed: it is handed on as it came, unless the store answers for its own host only. */
function handOn(store: StoreServer, request: IncomingMessage, response: ServerResponse, entry: Asked): void {
  const target = new URL(store.endpoint);
  const send = target.protocol === "https:" ? encrypted : plain;
  const { method, url: path } = request;
  const headers = store.checksHost ? signedAnew(store, target, request) : request.headers;
  const onward = send({ host: target.hostname, port: target.port, method, path, headers }, (answer) => {
    entry.status = answer.statusCode;
    response.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
    pipeline(answer, response, () => undefined);
  });
  // Whoever breaks off, the other side is told by a broken connection: nothing is answered in the store's place.
  onward.once("error", () => response.destroy());
  pipeline(request, onward, () => undefined);
}

/** Its body keeps the digest that it came with, or goes unsigned as it came. */
function signedAnew(
  { region = "us-east-1", accessKeyId, secretAccessKey }: StoreServer,
  target: URL,
  { method = "", url: path = "/", headers: came }: IncomingMessage,
): IncomingHttpHeaders {
  const { authorization: _signature, connection: _connection, ...kept } = came;
  const headers = { ...(kept as Record<string, string>), host: target.host };
  const signed = aws4.sign(
    { service: "s3", region, method, path, headers },
    { accessKeyId, secretAccessKey },
  );
  return signed.headers as IncomingHttpHeaders;
}
