/** What happens around a body: waiting for 100 Continue, refusals in its middle, readers and writers that overlap, bounded memory. */
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { Agent, type ClientRequest, type IncomingMessage, request } from "node:http";
import { join } from "node:path";
import aws4 from "aws4";
import { expect, onTestFinished, test } from "vitest";
import { FULL_PART, md5Hex, MIB, OTHER_PART } from "./bodies.ts";
import { BUCKET, credentials, type Rig, startRig } from "./rig.ts";
import { tag } from "./s3-client.ts";
import { Upload } from "./uploads.ts";

const UNSIGNED = { "x-amz-content-sha256": "UNSIGNED-PAYLOAD" };

/** A signed request whose body the test sends itself, when and as it likes. */
function begin({ server }: Rig, path: string, headers: Record<string, string>, agent?: Agent): ClientRequest {
  const url = new URL(server.url);
  const signed = aws4.sign(
    {
      service: "s3",
      region: "us-east-1",
      method: "PUT",
      path,
      headers: { host: url.host, ...UNSIGNED, ...headers },
    },
    credentials,
  );
  const sent = request({
    host: url.hostname,
    port: url.port,
    method: "PUT",
    path,
    headers: signed.headers as Record<string, string>,
    ...(agent !== undefined && { agent }),
  });
  sent.on("error", () => sent.destroy());
  return sent;
}

async function replyTo(sent: ClientRequest): Promise<{ status: number | undefined; text: string }> {
  const [res] = (await once(sent, "response")) as [IncomingMessage];
  let text = "";
  for await (const chunk of res.setEncoding("utf8")) text += String(chunk);
  return { status: res.statusCode, text };
}

test("a part over 5 GiB is refused before its body is asked for", async () => {
  const rig = await startRig();
  const upload = await Upload.create(rig.s3, "k");
  const headers = { "content-length": String(5 * 1024 * MIB + 1), expect: "100-continue" };
  const sent = begin(rig, `/${BUCKET}/k?partNumber=1&uploadId=${upload.id}`, headers);
  let continued = false;
  sent.on("continue", () => (continued = true));
  sent.flushHeaders();
  const { status, text } = await replyTo(sent);
  expect([status, tag(text, "Code"), continued]).toEqual([400, "EntityTooLarge", false]);
});

test("a body that waits for 100 Continue is asked for and stored", async () => {
  const rig = await startRig();
  const sent = begin(rig, `/${BUCKET}/k`, { "content-length": "5", expect: "100-continue" });
  sent.flushHeaders();
  await once(sent, "continue");
  sent.end("hello");
  expect((await replyTo(sent)).status).toBe(200);
  expect((await rig.s3.call({ method: "GET", key: "k" })).text).toBe("hello");
});

test("after a refusal the same connection serves the next request", async () => {
  const rig = await startRig();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(() => agent.destroy());
  const refused = begin(rig, "/no-such-bucket/k", { "content-length": String(MIB) }, agent);
  refused.end(FULL_PART.subarray(0, MIB));
  expect((await replyTo(refused)).status).toBe(404);
  const next = begin(rig, `/${BUCKET}/k`, { "content-length": "1" }, agent);
  next.end("x");
  expect([(await replyTo(next)).status, next.reusedSocket]).toEqual([200, true]);
});

test("a conditional Put that another Put overtakes is a conflict", async () => {
  const rig = await startRig();
  const slow = begin(rig, `/${BUCKET}/k`, {
    "content-length": "4",
    "if-none-match": "*",
    expect: "100-continue",
  });
  slow.flushHeaders();
  await once(slow, "continue");
  await rig.s3.call({ method: "PUT", key: "k", body: "fast" });
  slow.end("slow");
  const { status, text } = await replyTo(slow);
  expect([status, tag(text, "Code")]).toEqual([409, "ConditionalRequestConflict"]);
  expect((await rig.s3.call({ method: "GET", key: "k" })).text).toBe("fast");
});

test("a client that leaves within its body leaves nothing behind", async () => {
  const rig = await startRig();
  const sent = begin(rig, `/${BUCKET}/k`, { "content-length": String(FULL_PART.length) });
  sent.write(FULL_PART.subarray(0, 4 * MIB));
  await expect.poll(() => readdir(join(rig.dir, "blobs"))).toHaveLength(1);
  sent.destroy();
  await expect.poll(() => readdir(join(rig.dir, "blobs"))).toEqual([]);
  expect(rig.log.map(({ operation, status, delivered }) => [operation, status, delivered])).toEqual([
    ["PutObject", null, false],
  ]);
});

test("an object that is replaced while it is read is read to its end, and its files go after that", async () => {
  const rig = await startRig();
  const upload = await Upload.create(rig.s3, "k");
  const parts = [];
  for (const number of [1, 2, 3, 4, 5, 6])
    parts.push(await upload.part(number, number % 2 === 0 ? FULL_PART : OTHER_PART));
  await upload.complete(parts);
  const signed = aws4.sign(
    {
      service: "s3",
      region: "us-east-1",
      method: "GET",
      path: `/${BUCKET}/k`,
      headers: { host: new URL(rig.server.url).host },
    },
    credentials,
  );
  const response = await fetch(`${rig.server.url}/${BUCKET}/k`, {
    headers: signed.headers as Record<string, string>,
  });
  // The reader stands still: far more is on its way than sockets hold.
  await rig.s3.call({ method: "PUT", key: "k", body: "new" });
  expect((await readdir(join(rig.dir, "blobs"))).length).toBe(6);
  const read = Buffer.from(await response.arrayBuffer());
  const whole = Buffer.concat([OTHER_PART, FULL_PART, OTHER_PART, FULL_PART, OTHER_PART, FULL_PART]);
  expect(md5Hex(read)).toBe(md5Hex(whole));
  await expect.poll(() => readdir(join(rig.dir, "blobs"))).toEqual([]);
  expect((await rig.s3.call({ method: "GET", key: "k" })).text).toBe("new");
});

test("a part put again, an abort and a delete give their disk space back", async () => {
  const { s3, dir } = await startRig();
  const files = () => readdir(join(dir, "blobs"));
  const upload = await Upload.create(s3, "k");
  await upload.part(1, FULL_PART);
  await upload.part(1, OTHER_PART);
  expect(await files()).toHaveLength(1);
  await upload.abort();
  await s3.call({ method: "PUT", key: "k", body: FULL_PART });
  expect(await files()).toHaveLength(1);
  await s3.call({ method: "DELETE", key: "k" });
  expect(await files()).toEqual([]);
});

test("a bucket with objects or open uploads stays, an empty one goes", async () => {
  const { s3 } = await startRig({ buckets: [] });
  const remove = async () => (await s3.call({ method: "DELETE" })).code;
  expect((await s3.call({ method: "PUT" })).status).toBe(200);
  expect((await s3.call({ method: "PUT" })).code).toBe("BucketAlreadyOwnedByYou");
  await s3.call({ method: "PUT", key: "k", body: "x" });
  expect(await remove()).toBe("BucketNotEmpty");
  await s3.call({ method: "DELETE", key: "k" });
  const upload = await Upload.create(s3, "k");
  expect(await remove()).toBe("BucketNotEmpty");
  await upload.abort();
  expect(await remove()).toBe("");
  expect((await s3.call({ method: "GET" })).code).toBe("NoSuchBucket");
  expect((await s3.call({ method: "PUT", bucket: "Not_A_Bucket" })).code).toBe("InvalidBucketName");
});

test("what is not implemented says so instead of doing something else", async () => {
  const { s3 } = await startRig();
  const kms = await s3.call({
    method: "PUT",
    key: "kms",
    body: "x",
    headers: { "x-amz-server-side-encryption": "aws:kms" },
  });
  const acl = await s3.call({ method: "GET", query: { acl: "" } });
  expect([kms, acl].map((answer) => [answer.status, answer.code])).toEqual(
    Array(2).fill([501, "NotImplemented"]),
  );
  expect((await s3.call({ method: "HEAD", key: "kms" })).status).toBe(404);
});
