/**
 * What stands before the store at a first start, and answers in its place: a hotel's sign-in page, a proxy that sends
 * everyone elsewhere. It is waited out, whatever it answers: nothing is refused, nothing is written by what it said.
 */
import { once } from "node:events";
import { createServer, request as httpRequest, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { audit, auditRig } from "./audit.ts";
import { startRig, writeWhole } from "./rig.ts";

const HTML = { "content-type": "text/html; charset=utf-8" };
const PAGE = "<!DOCTYPE html><html><head><title>Sign in</title></head><body><p>Welcome</p></body></html>";

type Portal = readonly [status: number, headers: Record<string, string>, body: string];

/** Those that something let pass once; every other kind is a row of the store's own tests. */
const PORTALS: readonly (readonly [what: string, portal: Portal])[] = [
  ["200 with a page that has an ETag", [200, { ...HTML, etag: '"5f3-1"' }, PAGE]],
  ["200 with nothing", [200, {}, ""]],
  ["a redirect to a page", [302, { ...HTML, location: "http://127.0.0.1:9/login" }, PAGE]],
  [
    "a redirect that keeps the method, with nothing",
    [307, { location: "http://127.0.0.1:9/login?token=x" }, ""],
  ],
];

/** In front of `target`: answers everything itself until it is opened. */
async function startPortal(
  target: string,
  portal: Portal,
): Promise<AsyncDisposable & { url: string; open(): void }> {
  let isOpen = false;
  const refuse = (response: ServerResponse): void => {
    const [status, headers, body] = portal;
    response.writeHead(status, headers).end(body);
  };
  const server: Server = createServer((request, response) => {
    if (!isOpen) {
      request.resume();
      request.on("end", () => refuse(response));
      return;
    }
    const { hostname, port } = new URL(target);
    const { method, url, headers } = request;
    const onward = httpRequest({ hostname, port, method, path: url, headers }, (reply) => {
      response.writeHead(reply.statusCode ?? 502, reply.headers);
      reply.pipe(response);
    });
    onward.on("error", () => response.destroy());
    request.pipe(onward);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    open: () => void (isOpen = true),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

describe(
  "a first start behind something that answers in place of the store",
  { concurrent: true, timeout: 180_000 },
  () => {
    it.each(PORTALS)("waits for the store: %s", async (_, portal) => {
      await using rig = await startRig();
      await using before = await startPortal(rig.s3.url, portal);
      const worker = rig.launch({ SLUICE_S3_ENDPOINT: before.url });
      const path = writeWhole(rig, "a.bin", "bytes");
      await worker.said("the store cannot be used yet");
      before.open();
      await worker.ready();
      expect(await rig.completed(path)).toMatchObject({ status: "completed", s3_key: "a.bin" });
      await audit(rig, [{ path, key: "a.bin" }]);
      await auditRig(rig);
    });
  },
);

it("one refusal in the middle of a first start is asked for again, and does not end it", async () => {
  await using rig = await startRig();
  for (const operation of ["ListObjectsV2", "GetObject"] as const)
    rig.s3.faults.add({ operation }, { kind: "reply", reply: { status: 404 } });
  await rig.start();
  const path = writeWhole(rig, "a.bin", "bytes");
  await rig.completed(path);
  await auditRig(rig);
  expect(await rig.bucket.text("a.bin")).toBe("bytes");
}, 60_000);
