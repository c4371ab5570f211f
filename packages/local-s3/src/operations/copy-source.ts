/** What a copy takes its bytes from: x-amz-copy-source and its conditions and range, as strict as AWS documents them. */
import type { IncomingHttpHeaders } from "node:http";
import { declaredBody } from "../body/declared.ts";
import { type DigestOptions, Digests } from "../body/digests.ts";
import type { Received } from "../body/receive.ts";
import { noSuchKey, S3Error } from "../errors.ts";
import { header, type S3Request } from "../http/exchange.ts";
import { LIMITS } from "../limits.ts";
import type { StoredObject } from "../store/records.ts";
import type { Store } from "../store/store.ts";
import { matchesEtag } from "./conditions.ts";
import { download } from "./get-object.ts";
import type { ByteRange } from "./range.ts";

/** The object the header names, when its conditions hold. Throws what AWS throws. */
export function copySource({ headers }: S3Request, store: Store): StoredObject {
  const unsupported = Object.keys(headers).find((name) =>
    name.startsWith("x-amz-copy-source-server-side-encryption"),
  );
  if (unsupported !== undefined)
    throw new S3Error("NotImplemented", `${unsupported} is not implemented by this endpoint.`);
  const { bucket, key } = parseSource(header(headers, "x-amz-copy-source") ?? "");
  store.buckets.need(bucket);
  const object = store.objects.find(bucket, key);
  if (object === undefined) throw noSuchKey(key);
  checkConditions(headers, object);
  return object;
}

/** `/bucket/key` or `bucket/key`, URL-encoded. */
function parseSource(source: string): { bucket: string; key: string } {
  const [path = "", query] = source.split("?", 2);
  if (query !== undefined || path.startsWith("arn:")) {
    throw new S3Error(
      "NotImplemented",
      "A copy source by version or ARN is not implemented by this endpoint.",
    );
  }
  const match = /^\/?([^/]+)\/(.+)$/s.exec(decoded(path));
  if (match === null) throw invalidArgument("x-amz-copy-source", source, NO_SOURCE);
  const [, bucket = "", key = ""] = match;
  return { bucket, key };
}

const NO_SOURCE = "Copy Source must mention the source bucket and key: sourcebucket/sourcekey";

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch (error) {
    throw new S3Error("InvalidArgument", "Copy Source must be URL-encoded", { cause: error });
  }
}

const invalidArgument = (name: string, value: string, message: string): S3Error =>
  new S3Error("InvalidArgument", message, { fields: { ArgumentName: name, ArgumentValue: value } });

/**
 * All that are given must hold, except that an ETag that matches overrules x-amz-copy-source-if-unmodified-since.
 * What fails is 412, never 304.
 */
function checkConditions(headers: IncomingHttpHeaders, object: StoredObject): void {
  const modifiedSecond = Math.floor(object.modifiedMs / 1_000) * 1_000;
  const given = (name: string): string | undefined => header(headers, `x-amz-copy-source-if-${name}`);
  const [match, noneMatch] = [given("match"), given("none-match")];
  const unmodifiedSince = Date.parse(given("unmodified-since") ?? "");
  const modifiedSince = Date.parse(given("modified-since") ?? "");
  const failed = (name: string): S3Error =>
    new S3Error("PreconditionFailed", "At least one of the pre-conditions you specified did not hold", {
      fields: { Condition: `x-amz-copy-source-If-${name}` },
    });
  if (match !== undefined) {
    if (!matchesEtag(match, object.etag)) throw failed("Match");
  } else if (modifiedSecond > unmodifiedSince) throw failed("Unmodified-Since");
  if (noneMatch !== undefined && matchesEtag(noneMatch, object.etag)) throw failed("None-Match");
  if (modifiedSecond <= modifiedSince) throw failed("Modified-Since");
}

/** The whole object without a range header. Of a smaller object than 5 MiB no range is copied. */
export function copyRange(headers: IncomingHttpHeaders, object: StoredObject): ByteRange {
  const text = header(headers, "x-amz-copy-source-range");
  if (text === undefined) return checkSize({ start: 0, end: object.size });
  const match = /^bytes=(\d{1,15})-(\d{1,15})$/.exec(text);
  const [first, last] = [Number(match?.[1]), Number(match?.[2])];
  if (match === null || last < first) {
    const form =
      "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy";
    throw invalidArgument("x-amz-copy-source-range", text, form);
  }
  if (last >= object.size) {
    const size = `Range specified is not valid for source object of size: ${object.size}`;
    throw invalidArgument("x-amz-copy-source-range", text, size);
  }
  if (object.size <= LIMITS.minPartBytes) {
    throw new S3Error(
      "InvalidRequest",
      "The specified copy source is not supported as a byte-range copy source",
    );
  }
  return checkSize({ start: first, end: last + 1 });
}

export function checkSize(range: ByteRange): ByteRange {
  if (range.end - range.start <= LIMITS.maxPartBytes) return range;
  throw new S3Error(
    "InvalidRequest",
    `The specified copy source is larger than the maximum allowable size for a copy source: ${LIMITS.maxPartBytes}`,
  );
}

/** Writes the range as a new body, hashed on the way. */
export async function copyBytes(
  request: S3Request,
  store: Store,
  source: StoredObject,
  range: ByteRange,
  options: { name: string } & Omit<DigestOptions, "declared">,
): Promise<Received> {
  if (declaredBody({ "content-length": "0", ...request.headers }, request.auth).length > 0) {
    throw new S3Error("InvalidRequest", "A copy has no body");
  }
  const digests = new Digests({ ...options, declared: { length: range.end - range.start, checksums: {} } });
  const writer = store.blobs.writer(options.name);
  const body = download(store, source, range);
  let size = 0;
  try {
    for await (const chunk of body.read()) {
      digests.update(chunk);
      await writer.write(request.body.corrupt?.(chunk, size) ?? chunk);
      size += chunk.length;
    }
    const { md5, checksums } = digests.check(new Map());
    return { size, md5, checksums, blob: await writer.finish(), discard: () => writer.discard() };
  } catch (error) {
    await writer.discard();
    throw error;
  } finally {
    await body.release();
  }
}
