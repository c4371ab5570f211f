/**
 * An S3 endpoint that reads bodies and throws them away, but answers like a store: uploads, parts and objects exist by
 * name, size and checksum. It runs as its own process and reports its own CPU, to show that it is not the bottleneck.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

interface StoredPart {
  size: number;
  etag: string;
  crc32: string | undefined;
}
interface Upload {
  key: string;
  metadata: Record<string, string>;
  parts: Map<number, StoredPart>;
}
interface Stored {
  size: number;
  etag: string;
  crc32: string | undefined;
  metadata: Record<string, string>;
}

const uploads = new Map<string, Upload>();
const objects = new Map<string, Stored>();
let counter = 0;
const seen = {
  requests: 0,
  parts: 0,
  firstPartAt: 0,
  lastPartAt: 0,
  firstObjectAt: 0,
  lastObjectAt: 0,
  puts: 0,
};

function metadataOf(request: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(request.headers)
      .filter(([name]) => name.startsWith("x-amz-meta-"))
      .map(([name, value]) => [name, String(value)]),
  );
}

function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === "string" ? value : undefined;
}

function xml(
  response: ServerResponse,
  status: number,
  body: string,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, {
    "content-type": "application/xml",
    "content-length": String(Buffer.byteLength(body)),
    ...headers,
  });
  response.end(body);
}

function missing(response: ServerResponse, code: string): void {
  xml(response, 404, `<Error><Code>${code}</Code><Message>${code}</Message></Error>`);
}

/** Bytes of the body, which is read and dropped. */
function drain(request: IncomingMessage): Promise<{ bytes: number; text: string }> {
  return new Promise((resolve, reject) => {
    let bytes = 0;
    let text = "";
    const keeps = request.method === "POST";
    request.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (keeps) text += chunk.toString("utf8");
    });
    request.on("end", () => resolve({ bytes, text }));
    request.on("error", reject);
  });
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? "/", "http://bench");
  if (url.pathname === "/-/seen")
    return xml(response, 200, JSON.stringify({ ...seen, cpu: process.cpuUsage() }));
  seen.requests += 1;
  const key = decodeURIComponent(url.pathname);
  const uploadId = url.searchParams.get("uploadId") ?? undefined;
  const upload = uploadId === undefined ? undefined : uploads.get(uploadId);
  if (request.method === "PUT" && uploadId !== undefined) {
    if (seen.firstPartAt === 0) seen.firstPartAt = Date.now();
    const { bytes } = await drain(request);
    if (!upload) return missing(response, "NoSuchUpload");
    const crc32 = header(request, "x-amz-checksum-crc32");
    const etag = `"${(counter += 1).toString(16).padStart(32, "0")}"`;
    upload.parts.set(Number(url.searchParams.get("partNumber")), { size: bytes, etag, crc32 });
    seen.parts += 1;
    seen.lastPartAt = Date.now();
    response.writeHead(200, {
      etag,
      "content-length": "0",
      ...(crc32 === undefined ? {} : { "x-amz-checksum-crc32": crc32 }),
    });
    return void response.end();
  }
  const { bytes, text } = await drain(request);
  if (request.method === "PUT") {
    const crc32 = header(request, "x-amz-checksum-crc32");
    if (request.headers["if-none-match"] === "*" && objects.has(key))
      return xml(response, 412, "<Error><Code>PreconditionFailed</Code></Error>");
    const etag = `"${(counter += 1).toString(16).padStart(32, "0")}"`;
    objects.set(key, { size: bytes, etag, crc32, metadata: metadataOf(request) });
    seen.puts += 1;
    if (seen.firstObjectAt === 0) seen.firstObjectAt = Date.now();
    seen.lastObjectAt = Date.now();
    response.writeHead(200, {
      etag,
      "content-length": "0",
      ...(crc32 === undefined ? {} : { "x-amz-checksum-crc32": crc32 }),
    });
    return void response.end();
  }
  if (request.method === "POST" && url.searchParams.has("uploads")) {
    const id = `u${(counter += 1)}`;
    uploads.set(id, { key, metadata: metadataOf(request), parts: new Map() });
    return xml(
      response,
      200,
      `<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`,
    );
  }
  if (request.method === "POST" && upload && uploadId !== undefined) {
    const size = [...upload.parts.values()].reduce((sum, part) => sum + part.size, 0);
    const crc32 =
      header(request, "x-amz-checksum-crc32") ??
      /<ChecksumCRC32>([^<]+)<\/ChecksumCRC32>\s*<\/CompleteMultipartUpload>/.exec(text)?.[1];
    const etag = `"${(counter += 1).toString(16).padStart(32, "0")}-${upload.parts.size}"`;
    objects.set(upload.key, { size, etag, crc32, metadata: upload.metadata });
    uploads.delete(uploadId);
    seen.lastObjectAt = Date.now();
    return xml(
      response,
      200,
      `<CompleteMultipartUploadResult><Location>x</Location><Bucket>b</Bucket><Key>k</Key><ETag>${etag}</ETag></CompleteMultipartUploadResult>`,
    );
  }
  if (request.method === "GET" && uploadId !== undefined) {
    if (!upload) return missing(response, "NoSuchUpload");
    const parts = [...upload.parts].map(
      ([n, part]) =>
        `<Part><PartNumber>${n}</PartNumber><ETag>${part.etag}</ETag><Size>${part.size}</Size></Part>`,
    );
    return xml(
      response,
      200,
      `<ListPartsResult><IsTruncated>false</IsTruncated>${parts.join("")}</ListPartsResult>`,
    );
  }
  if (request.method === "HEAD") {
    const stored = objects.get(key);
    if (!stored) {
      response.writeHead(key.split("/").length > 2 ? 404 : 200, { "content-length": "0" });
      return void response.end();
    }
    response.writeHead(200, {
      "content-length": String(stored.size),
      etag: stored.etag,
      ...stored.metadata,
      ...(stored.crc32 === undefined
        ? {}
        : { "x-amz-checksum-crc32": stored.crc32, "x-amz-checksum-type": "FULL_OBJECT" }),
    });
    return void response.end();
  }
  if (request.method === "DELETE") {
    if (uploadId !== undefined && !upload) return missing(response, "NoSuchUpload");
    if (uploadId !== undefined) uploads.delete(uploadId);
    objects.delete(key);
    response.writeHead(204);
    return void response.end();
  }
  if (url.searchParams.has("uploads")) {
    const list = [...uploads].map(
      ([id, one]) =>
        `<Upload><Key>${one.key.split("/").slice(2).join("/")}</Key><UploadId>${id}</UploadId><Initiated>${new Date().toISOString()}</Initiated></Upload>`,
    );
    return xml(
      response,
      200,
      `<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>${list.join("")}</ListMultipartUploadsResult>`,
    );
  }
  xml(
    response,
    200,
    `<ListBucketResult><Name>b</Name><KeyCount>0</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated></ListBucketResult>`,
  );
}

const server = createServer((request, response) => {
  answer(request, response).catch((error: unknown) => {
    process.stderr.write(`${String(error)}\n`);
    response.destroy();
  });
});
server.keepAliveTimeout = 60_000;
server.listen(Number(process.argv[2] ?? 0), "127.0.0.1", () => {
  const address = server.address();
  if (typeof address === "object" && address) process.stdout.write(`${address.port}\n`);
});
process.on("SIGTERM", () => process.exit(0));
