/** GetObject and HeadObject: one object as it was when the request came, even if it is replaced while it is read. */
import { noSuchKey, S3Error } from "../errors.ts";
import {
  type DownloadBody,
  type Endpoint,
  type Handler,
  header,
  type Reply,
  type S3Request,
  xmlReply,
} from "../http/exchange.ts";
import { LIMITS } from "../limits.ts";
import type { Blob } from "../store/blobs.ts";
import type { StoredObject } from "../store/records.ts";
import type { Store } from "../store/store.ts";
import { document, element, parent } from "../xml.ts";
import { parseTagging } from "./attributes.ts";
import { checkRead, quoted } from "./conditions.ts";
import { countParameter } from "./paging.ts";
import { checksumHeaders } from "./put-object.ts";
import { type ByteRange, parseRange } from "./range.ts";

export const getObject: Handler = (request, endpoint) => {
  const { object, reply, range } = describe(request, endpoint);
  return { ...reply, body: download(endpoint.store, object, range) };
};

export const headObject: Handler = (request, endpoint) => describe(request, endpoint).reply;

export const getObjectTagging: Handler = ({ bucket, key }, { store }) => {
  const { attributes } = needObject(store, bucket, key);
  const tags = parseTagging(attributes.tagging ?? "").map(([name, value]) =>
    parent("Tag", element("Key", name), element("Value", value)),
  );
  return xmlReply(document("Tagging", parent("TagSet", ...tags)));
};

export function needObject(store: Store, bucket: string, key: string): StoredObject {
  store.buckets.need(bucket);
  const object = store.objects.find(bucket, key);
  if (object === undefined) throw noSuchKey(key);
  return object;
}

function describe(
  request: S3Request,
  { store, quirks }: Endpoint,
): { object: StoredObject; reply: Reply; range: ByteRange } {
  const { bucket, key, headers, query, operation } = request;
  if (
    operation === "HeadObject" &&
    quirks.head403OnMissing === true &&
    store.objects.find(bucket, key) === undefined
  ) {
    throw new S3Error("AccessDenied", "Access Denied");
  }
  const object = needObject(store, bucket, key);
  checkRead(headers, object);
  const whole = { start: 0, end: object.size };
  const part = countParameter(query, "partNumber");
  const partial =
    part === undefined ? parseRange(header(headers, "range"), object.size) : partRange(store, object, part);
  const range = partial ?? whole;
  const isWhole = range.end - range.start === object.size;
  const wantsChecksum = header(headers, "x-amz-checksum-mode")?.toUpperCase() === "ENABLED" && isWhole;
  const tagCount = parseTagging(object.attributes.tagging ?? "").length;
  const reply: Reply = {
    status: partial === undefined ? 200 : 206,
    headers: {
      ...object.attributes.headers,
      ...overrides(query),
      "accept-ranges": "bytes",
      "content-length": String(range.end - range.start),
      etag: quoted(object.etag),
      "last-modified": new Date(object.modifiedMs).toUTCString(),
      ...(partial !== undefined && {
        "content-range": `bytes ${range.start}-${range.end - 1}/${object.size}`,
      }),
      ...(part !== undefined &&
        isMultipart(object) && {
          "x-amz-mp-parts-count": String(store.contents.parts(object.content).length),
        }),
      ...(tagCount > 0 && { "x-amz-tagging-count": String(tagCount) }),
      ...(wantsChecksum && checksumHeaders(object.checksums)),
      ...(wantsChecksum &&
        object.checksumType !== undefined && { "x-amz-checksum-type": object.checksumType }),
    },
  };
  return { object, reply, range };
}

export const isMultipart = (object: StoredObject): boolean => object.etag.includes("-");

/** response-content-type and the like, which a presigned download may carry. */
function overrides(query: ReadonlyMap<string, string>): Record<string, string> {
  const found = [...query].filter(([name]) =>
    /^response-(?:content-(?:type|language|disposition|encoding)|cache-control|expires)$/.test(name),
  );
  return Object.fromEntries(found.map(([name, value]) => [name.slice("response-".length), value]));
}

function partRange(store: Store, object: StoredObject, number: number): ByteRange {
  const parts = store.contents.parts(object.content);
  // Parts are addressed by their place among the object's parts.
  const part = parts[number - 1];
  if (part === undefined) throw new S3Error("InvalidRange", "The requested partnumber is not satisfiable");
  const start = parts.slice(0, number - 1).reduce((sum, before) => sum + before.size, 0);
  return { start, end: start + part.size };
}

/** The bytes of a range, read in bounded chunks across the parts that hold them; the files stay until `release`. */
export function download(store: Store, object: StoredObject, range: ByteRange): DownloadBody {
  const pieces: { body: Blob; from: number; to: number }[] = [];
  let offset = 0;
  for (const { number, size } of store.contents.parts(object.content)) {
    const from = Math.max(range.start - offset, 0);
    const to = Math.min(range.end - offset, size);
    if (from < to) pieces.push({ body: store.contents.body(object.content, number), from, to });
    offset += size;
  }
  const release = store.blobs.pin(object.content);
  return {
    length: range.end - range.start,
    async *read() {
      for (const { body, from, to } of pieces) {
        if (body.file === undefined) yield body.data.subarray(from, to);
        else yield* readFile(store, body.file, from, to);
      }
    },
    release,
  };
}

async function* readFile(
  store: Store,
  file: string,
  from: number,
  to: number,
): AsyncGenerator<Buffer, void, undefined> {
  const handle = await store.blobs.read(file);
  try {
    for (let at = from; at < to;) {
      const length = Math.min(LIMITS.readChunkBytes, to - at);
      const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(length), 0, length, at);
      if (bytesRead === 0) throw new Error(`${file} is shorter than recorded`);
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}
