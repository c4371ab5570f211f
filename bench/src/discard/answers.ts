/** The replies of a strict store (AWS as documented), made from what the discarding bucket remembers. */
import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { type Drained, refusedBytes } from "./body.ts";
import type { DiscardBucket, Stored } from "./bucket.ts";

export interface Reply {
  status: number;
  headers?: Record<string, string>;
  body?: string;
}

export interface Question {
  request: IncomingMessage;
  body: Drained;
  key: string;
  query: URLSearchParams;
  /** No key: the bucket itself. */
  ofBucket: boolean;
}

export function fail(status: number, code: string): Reply {
  return {
    status,
    body: `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`,
  };
}

function header(question: Question, name: string): string | undefined {
  const value = question.request.headers[name];
  return typeof value === "string" ? value : undefined;
}

function keptHeaders(question: Question): Record<string, string> {
  return Object.fromEntries(
    Object.entries(question.request.headers)
      .filter(([name]) => name.startsWith("x-amz-meta-") || name === "content-type")
      .map(([name, value]) => [name, String(value)]),
  );
}

function conditionFails(question: Question, found: Stored | undefined): boolean {
  if (header(question, "if-none-match") === "*" && found) return true;
  const match = header(question, "if-match");
  return match !== undefined && found?.etag !== match;
}

function crcHeader(crc32: string | undefined): Record<string, string> {
  return crc32 === undefined ? {} : { "x-amz-checksum-crc32": crc32, "x-amz-checksum-type": "FULL_OBJECT" };
}

export function putPart(bucket: DiscardBucket, question: Question): Reply {
  const upload = bucket.uploads.get(question.query.get("uploadId") ?? "");
  if (!upload) return fail(404, "NoSuchUpload");
  const refused = refusedBytes(question.request, question.body);
  if (refused !== undefined) return fail(400, refused);
  const crc32 = header(question, "x-amz-checksum-crc32");
  const etag = bucket.etag();
  upload.parts.set(Number(question.query.get("partNumber")), { bytes: question.body.bytes, etag, crc32 });
  return {
    status: 200,
    headers: { etag, ...(crc32 === undefined ? {} : { "x-amz-checksum-crc32": crc32 }) },
  };
}

export function putObject(bucket: DiscardBucket, question: Question): Reply {
  if (conditionFails(question, bucket.objects.get(question.key))) return fail(412, "PreconditionFailed");
  const refused = refusedBytes(question.request, question.body);
  if (refused !== undefined) return fail(400, refused);
  const crc32 = header(question, "x-amz-checksum-crc32");
  const { small } = question.body;
  // rclone compares the ETag of a single Put with the MD5.
  const etag = small ? `"${createHash("md5").update(small).digest("hex")}"` : bucket.etag();
  const stored = { bytes: question.body.bytes, etag, crc32, headers: keptHeaders(question) };
  bucket.objects.set(question.key, stored);
  return { status: 200, headers: { etag, ...crcHeader(crc32) } };
}

export function createUpload(bucket: DiscardBucket, question: Question): Reply {
  const { id, key } = bucket.newUpload(question.key, keptHeaders(question));
  return xml(
    "InitiateMultipartUploadResult",
    `<Bucket>bench</Bucket><Key>${escaped(key)}</Key><UploadId>${id}</UploadId>`,
  );
}

export function completeUpload(bucket: DiscardBucket, question: Question): Reply {
  const id = question.query.get("uploadId") ?? "";
  const before = bucket.completed.get(id);
  if (before !== undefined) return completedReply(question.key, before);
  const upload = bucket.uploads.get(id);
  if (!upload) return fail(404, "NoSuchUpload");
  if (conditionFails(question, bucket.objects.get(upload.key))) return fail(412, "PreconditionFailed");
  const bytes = [...upload.parts.values()].reduce((sum, part) => sum + part.bytes, 0);
  const claimed = header(question, "x-amz-mp-object-size");
  if (claimed !== undefined && Number(claimed) !== bytes) return fail(400, "InvalidRequest");
  const crc32 = bucket.wholeCrc(upload);
  const sent = header(question, "x-amz-checksum-crc32");
  if (sent !== undefined && sent !== crc32) return fail(400, "BadDigest");
  const etag = bucket.etag(upload.parts.size);
  bucket.objects.set(upload.key, { bytes, etag, crc32, headers: upload.headers });
  bucket.uploads.delete(id);
  bucket.completed.set(id, etag);
  return completedReply(upload.key, etag);
}

function completedReply(key: string, etag: string): Reply {
  return xml(
    "CompleteMultipartUploadResult",
    `<Location>http://bench/${escaped(key)}</Location><Bucket>bench</Bucket><Key>${escaped(key)}</Key><ETag>${etag}</ETag>`,
  );
}

export function headObject(bucket: DiscardBucket, question: Question): Reply {
  if (question.ofBucket) return { status: 200 };
  const stored = bucket.objects.get(question.key);
  if (!stored) return { status: 404 };
  return {
    status: 200,
    headers: {
      ...stored.headers,
      "content-length": String(stored.bytes),
      "last-modified": new Date().toUTCString(),
      etag: stored.etag,
      ...crcHeader(stored.crc32),
    },
  };
}

export function remove(bucket: DiscardBucket, question: Question): Reply {
  const id = question.query.get("uploadId");
  if (id === null) bucket.objects.delete(question.key);
  else if (!bucket.uploads.delete(id)) return fail(404, "NoSuchUpload");
  return { status: 204 };
}

/** GET: a listing, an upload's parts, a setting, or the object itself, whose bytes are not stored. */
export function get(bucket: DiscardBucket, question: Question): Reply {
  const { query } = question;
  if (query.has("lifecycle")) return fail(404, "NoSuchLifecycleConfiguration");
  if (query.has("location")) return { status: 200, body: "<LocationConstraint/>" };
  if (query.has("uploadId")) return listParts(bucket, query.get("uploadId") ?? "");
  if (query.has("uploads")) return listUploads(bucket, query.get("prefix") ?? "");
  if (question.ofBucket) return listObjects(bucket, query.get("prefix") ?? "");
  return bucket.objects.has(question.key) ? { status: 200, body: "" } : fail(404, "NoSuchKey");
}

function listParts(bucket: DiscardBucket, id: string): Reply {
  const upload = bucket.uploads.get(id);
  if (!upload) return fail(404, "NoSuchUpload");
  const parts = [...upload.parts]
    .sort(([a], [b]) => a - b)
    .map(
      ([n, { etag, bytes, crc32 }]) =>
        `<Part><PartNumber>${n}</PartNumber><ETag>${etag}</ETag><Size>${bytes}</Size>${crc32 === undefined ? "" : `<ChecksumCRC32>${crc32}</ChecksumCRC32>`}</Part>`,
    );
  return xml(
    "ListPartsResult",
    `<Bucket>bench</Bucket><Key>${escaped(upload.key)}</Key><UploadId>${id}</UploadId><IsTruncated>false</IsTruncated>${parts.join("")}`,
  );
}

function listUploads(bucket: DiscardBucket, prefix: string): Reply {
  const list = [...bucket.uploads.values()]
    .filter(({ key }) => key.startsWith(prefix))
    .map(
      ({ key, id, initiated }) =>
        `<Upload><Key>${escaped(key)}</Key><UploadId>${id}</UploadId><Initiated>${initiated}</Initiated></Upload>`,
    );
  return xml(
    "ListMultipartUploadsResult",
    `<Bucket>bench</Bucket><IsTruncated>false</IsTruncated>${list.join("")}`,
  );
}

function listObjects(bucket: DiscardBucket, prefix: string): Reply {
  const list = [...bucket.objects]
    .filter(([key]) => key.startsWith(prefix))
    .slice(0, 1_000)
    .map(
      ([key, { bytes, etag }]) =>
        `<Contents><Key>${escaped(key)}</Key><LastModified>${new Date().toISOString()}</LastModified><ETag>${etag}</ETag><Size>${bytes}</Size></Contents>`,
    );
  return xml(
    "ListBucketResult",
    `<Name>bench</Name><Prefix>${escaped(prefix)}</Prefix><KeyCount>${list.length}</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated>${list.join("")}`,
  );
}

function xml(root: string, content: string): Reply {
  return {
    status: 200,
    headers: { "content-type": "application/xml" },
    body: `<?xml version="1.0" encoding="UTF-8"?><${root} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${content}</${root}>`,
  };
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
