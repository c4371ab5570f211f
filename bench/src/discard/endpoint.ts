/**
 * An S3 endpoint that reads bodies and throws them away, but answers like a store: uploads, parts and objects exist by
 * name, size and checksum. A process of its own, which counts requests and reports its own CPU, so that the figures
 * show that it is not the bottleneck. Arguments: certificate and key for TLS. BENCH_SIGNED_ONLY=1 refuses bodies that
 * their signature does not cover, as some stores do. Prints its port.
 */
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import {
  completeUpload,
  createUpload,
  fail,
  get,
  headObject,
  putObject,
  putPart,
  remove,
  type Question,
  type Reply,
} from "./answers.ts";
import { drain } from "./body.ts";
import { DiscardBucket } from "./bucket.ts";
import { CpuMarks } from "./cpu-marks.ts";

const SIGNED_ONLY = process.env["BENCH_SIGNED_ONLY"] === "1";
const bucket = new DiscardBucket();
let marks = new CpuMarks();
let requests: Record<string, number> = {};

function count(name: string): void {
  requests[name] = (requests[name] ?? 0) + 1;
}

async function answer(request: IncomingMessage): Promise<Reply> {
  const url = new URL(request.url ?? "/", "http://bench");
  if (url.pathname.startsWith("/-/")) return control(url);
  const [, , ...rest] = url.pathname.split("/");
  const key = decodeURIComponent(rest.join("/"));
  const query = url.searchParams;
  const isPart = request.method === "PUT" && query.has("uploadId");
  const uncovered = request.headers["x-amz-content-sha256"] === "UNSIGNED-PAYLOAD";
  if (isPart) marks.first("first_part");
  const question: Question = { request, body: await drain(request), key, query, ofBucket: key === "" };
  const reply = SIGNED_ONLY && uncovered ? fail(400, "InvalidRequest") : route(question, isPart);
  if (isPart) marks.last("last_part");
  return reply;
}

function route(question: Question, isPart: boolean): Reply {
  const { request, query } = question;
  switch (request.method ?? "GET") {
    case "PUT":
      return isPart ? (count("UploadPart"), putPart(bucket, question)) : put(question);
    case "POST":
      if (query.has("uploads")) return (count("CreateMultipartUpload"), createUpload(bucket, question));
      if (query.has("uploadId")) {
        count("CompleteMultipartUpload");
        const reply = completeUpload(bucket, question);
        marks.last("last_object");
        return reply;
      }
      return fail(400, "InvalidRequest");
    case "HEAD":
      return (count("Head"), headObject(bucket, question));
    case "DELETE":
      return (count("Delete"), remove(bucket, question));
    default:
      return (count("Get"), get(bucket, question));
  }
}

function put(question: Question): Reply {
  if (question.ofBucket) return { status: 200 };
  count("PutObject");
  marks.first("first_object");
  const reply = putObject(bucket, question);
  marks.last(question.key.endsWith(".metadata.json") ? "last_metadata" : "last_object");
  return reply;
}

/** `/-/watch?pid=`: restarts counting, with this process's CPU at the marks. `/-/seen`: what was counted. */
function control(url: URL): Reply {
  if (url.pathname === "/-/watch") {
    marks = new CpuMarks();
    requests = {};
    marks.pid = Number(url.searchParams.get("pid")) || undefined;
    marks.first("begin");
    return { status: 200, body: "{}" };
  }
  const { user, system } = process.cpuUsage();
  return {
    status: 200,
    body: JSON.stringify({ requests, marks: marks.marks, endpoint_cpu_seconds: (user + system) / 1e6 }),
  };
}

function listener(request: IncomingMessage, response: ServerResponse): void {
  answer(request)
    .then(({ status, headers = {}, body = "" }) => {
      const length = request.method === "HEAD" ? {} : { "content-length": String(Buffer.byteLength(body)) };
      response.writeHead(status, { ...length, "x-amz-request-id": "bench", ...headers });
      response.end(body);
    })
    .catch((error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
      response.destroy();
    });
}

const [, , certificate, key] = process.argv;
const server =
  certificate === undefined || key === undefined
    ? createServer(listener)
    : createTlsServer({ cert: readFileSync(certificate), key: readFileSync(key) }, listener);
server.keepAliveTimeout = 60_000;
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (typeof address === "object" && address) process.stdout.write(`${address.port}\n`);
});
process.on("SIGTERM", () => process.exit(0));
// Its parent may be killed.
process.stdin.on("end", () => process.exit(0)).resume();
