/** Each fault does what it says to the requests it names and to no other. */
import { expect, test } from "vitest";
import { type Operation, TROUBLE } from "../src/index.ts";
import { FULL_PART, md5Hex, MIB } from "./bodies.ts";
import { startRig } from "./rig.ts";
import { tag, tags } from "./s3-client.ts";
import { Upload } from "./uploads.ts";

test("the 3rd UploadPart, and only it, meets SlowDown with Retry-After", async () => {
  const { s3, server } = await startRig();
  server.faults.add({ operation: "UploadPart", nth: 3 }, TROUBLE.slowDown(7));
  const upload = await Upload.create(s3, "k");
  const answers = [];
  for (const number of [1, 2, 3, 4]) answers.push(await upload.put(number, "x"));
  expect(answers.map((answer) => answer.status)).toEqual([200, 200, 503, 200]);
  expect([answers[2]?.code, answers[2]?.headers["retry-after"]]).toEqual(["SlowDown", "7"]);
  expect(tags((await upload.list()).text, "PartNumber")).toEqual(["1", "2", "4"]);
});

test("a fault without end acts until it is removed", async () => {
  const { s3, server } = await startRig();
  const id = server.faults.add({ key: "k", times: -1 }, TROUBLE.accessDenied());
  const put = () => s3.call({ method: "PUT", key: "k", body: "x" });
  expect([(await put()).code, (await put()).code]).toEqual(["AccessDenied", "AccessDenied"]);
  expect((await s3.call({ method: "PUT", key: "other", body: "x" })).status).toBe(200);
  server.faults.remove(id);
  expect((await put()).status).toBe(200);
});

test.each([
  ["expired token", TROUBLE.expiredToken(), 400, "ExpiredToken"],
  ["missing bucket", TROUBLE.noSuchBucket(), 404, "NoSuchBucket"],
  ["internal error", TROUBLE.internalError(), 500, "InternalError"],
  ["error in a 200", TROUBLE.errorIn200(), 200, "InternalError"],
  ["error in a 200 with a newline", TROUBLE.errorIn200(true), 200, "InternalError"],
])("%s is answered and nothing is done", async (_name, action, status, code) => {
  const { s3, server } = await startRig();
  const upload = await Upload.create(s3, "k");
  const part = await upload.part(1, "x");
  server.faults.add({ operation: "CompleteMultipartUpload" }, action);
  const answer = await upload.complete([part]);
  expect([answer.status, answer.code]).toEqual([status, code]);
  expect((await s3.call({ method: "HEAD", key: "k" })).status).toBe(404);
});

test("a copy's 200 can hold an error, with the part not there", async () => {
  const { s3, server } = await startRig();
  await s3.call({ method: "PUT", key: "source", body: "x" });
  const upload = await Upload.create(s3, "k");
  server.faults.add({ operation: "UploadPartCopy" }, TROUBLE.errorIn200(true));
  const query = { partNumber: "1", uploadId: upload.id };
  const headers = { "x-amz-copy-source": `/${s3.target.bucket}/source` };
  const answers = [
    await s3.call({ method: "PUT", key: "k", query, headers }),
    await s3.call({ method: "PUT", key: "k", query, headers }),
  ];
  expect(answers.map((answer) => [answer.status, answer.code])).toEqual([
    [200, "InternalError"],
    [200, ""],
  ]);
});

test("a captive portal answers 200 with HTML", async () => {
  const { s3, server } = await startRig();
  server.faults.add({ operation: "PutObject" }, TROUBLE.htmlIn200());
  const answer = await s3.call({ method: "PUT", key: "k", body: "x" });
  expect([answer.status, answer.headers["content-type"]]).toEqual([200, "text/html"]);
});

test("a reply can lack its ETag although the part is there", async () => {
  const { s3, server } = await startRig();
  const upload = await Upload.create(s3, "k");
  server.faults.add({ operation: "UploadPart" }, TROUBLE.missingETag());
  const answer = await upload.put(1, "x");
  expect([answer.status, answer.headers["etag"]]).toEqual([200, undefined]);
  expect(tags((await upload.list()).text, "ETag")).toEqual([`"${md5Hex("x")}"`]);
});

test("a dropped connection did nothing, a lost reply did everything", async () => {
  const { s3, server, log } = await startRig();
  server.faults.add({ key: "dropped" }, { kind: "drop" });
  server.faults.add({ key: "lost" }, { kind: "loseReply" });
  await expect(s3.call({ method: "PUT", key: "dropped", body: "x" })).rejects.toThrow(/hang up|ECONNRESET/);
  await expect(s3.call({ method: "PUT", key: "lost", body: "x" })).rejects.toThrow(/hang up|ECONNRESET/);
  expect((await s3.call({ method: "HEAD", key: "dropped" })).status).toBe(404);
  expect((await s3.call({ method: "HEAD", key: "lost" })).status).toBe(200);
  expect(log.slice(0, 2).map(({ status, delivered, faults }) => ({ status, delivered, faults }))).toEqual([
    { status: null, delivered: false, faults: ["drop"] },
    { status: 200, delivered: false, faults: ["loseReply"] },
  ]);
});

test("a request that acts late is done after its client has left", async () => {
  const { s3, server, log } = await startRig();
  const now = Promise.withResolvers<void>();
  server.faults.add({ key: "late" }, { kind: "actLate", until: now.promise });
  await expect(s3.call({ method: "PUT", key: "late", body: "x" })).rejects.toThrow(/hang up|ECONNRESET/);
  expect((await s3.call({ method: "HEAD", key: "late" })).status).toBe(404);
  now.resolve();
  await expect.poll(() => log.some(({ faults }) => faults.includes("actLate"))).toBe(true);
  expect((await s3.call({ method: "HEAD", key: "late" })).status).toBe(200);
});

test("a body cut in the middle stores nothing", async () => {
  const { s3, server } = await startRig();
  const upload = await Upload.create(s3, "k");
  server.faults.add({ operation: "UploadPart" }, { kind: "cutBody", afterBytes: MIB });
  await expect(upload.put(1, FULL_PART)).rejects.toThrow(/hang up|ECONNRESET|EPIPE/);
  expect(tags((await upload.list()).text, "PartNumber")).toEqual([]);
});

test("a byte flipped on the wire is noticed, one flipped on the way to the disk is not", async () => {
  const { s3, server } = await startRig();
  server.faults.add({ key: "wire" }, { kind: "flip", at: 1, where: "wire" });
  server.faults.add({ key: "disk" }, { kind: "flip", at: 1, where: "disk" });
  expect((await s3.call({ method: "PUT", key: "wire", body: "abc" })).code).toBe("XAmzContentSHA256Mismatch");
  expect((await s3.call({ method: "PUT", key: "disk", body: "abc" })).headers["etag"]).toBe(
    `"${md5Hex("abc")}"`,
  );
  expect((await s3.call({ method: "GET", key: "disk" })).text).toBe("acc");
});

test("a gate holds one request while others pass, and the later finisher of a part counts", async () => {
  const { s3, server } = await startRig();
  const upload = await Upload.create(s3, "k");
  const { promise, resolve } = Promise.withResolvers<void>();
  server.faults.add({ operation: "UploadPart" }, { kind: "gate", until: promise });
  const slow = upload.put(1, "sent first");
  await expect.poll(() => server.faults.list()[0]?.acted).toBe(1);
  await upload.part(1, "finished first");
  resolve();
  const last = await slow;
  expect(tags((await upload.list()).text, "ETag")).toEqual([last.headers["etag"]]);
});

test("a black hole holds the request until the client leaves", async () => {
  const { s3, server, log } = await startRig();
  server.faults.add({ operation: "HeadObject" }, { kind: "hang" });
  const controller = new AbortController();
  const pending = fetch(`${server.url}/x`, { signal: controller.signal });
  expect((await pending).status).toBe(403);
  const hung = s3.call({ method: "HEAD", key: "k" });
  await expect.poll(() => server.faults.list()[0]?.acted).toBe(1);
  expect((await s3.call({ method: "GET", key: "k" })).code).toBe("NoSuchKey");
  await Promise.all([server[Symbol.asyncDispose](), expect(hung).rejects.toThrow(/hang up|ECONNRESET/)]);
  expect(log.filter((entry) => entry.operation === "HeadObject").map((entry) => entry.status)).toEqual([
    null,
  ]);
});

test("a long Complete sends white space between the XML declaration and the document", async () => {
  const { s3, server } = await startRig();
  const upload = await Upload.create(s3, "k");
  const part = await upload.part(1, "x");
  server.faults.add({ operation: "CompleteMultipartUpload" }, { kind: "drip", spaces: 5, everyMs: 1 });
  const answer = await upload.complete([part]);
  expect(answer.text).toMatch(/^<\?xml [^>]*\?>\n {5}<Complete/);
  expect(tag(answer.text, "Key")).toBe("k");
});

test("faults are set over HTTP only where that is enabled", async () => {
  const closed = await startRig();
  const open = await startRig({ admin: true });
  const fault = {
    match: { operation: "PutObject" satisfies Operation },
    action: { kind: "reply", reply: { status: 503, code: "SlowDown" } },
  };
  const post = (url: string, body: unknown) =>
    fetch(`${url}/-/faults`, { method: "POST", body: JSON.stringify(body) });
  expect((await post(closed.server.url, fault)).status).toBe(403);
  expect(await (await post(open.server.url, fault)).json()).toEqual({ id: 1 });
  expect((await post(open.server.url, { action: { kind: "gate" } })).status).toBe(400);
  expect((await open.s3.call({ method: "PUT", key: "k", body: "x" })).code).toBe("SlowDown");
  expect(await (await fetch(`${open.server.url}/-/faults`)).json()).toMatchObject([
    { id: 1, seen: 1, acted: 1 },
  ]);
  await fetch(`${open.server.url}/-/faults`, { method: "DELETE" });
  expect(open.server.faults.list()).toEqual([]);
});
