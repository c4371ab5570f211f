/** If-Match and similar: pure checks of a request's conditions against the existing object. */
import type { IncomingHttpHeaders } from "node:http";
import { noSuchKey, S3Error } from "../errors.ts";
import { header } from "../http/exchange.ts";
import type { StoredObject } from "../store/records.ts";
import type { WriteGuard } from "../store/objects.ts";

const failed = (condition: string): S3Error =>
  new S3Error("PreconditionFailed", "At least one of the pre-conditions you specified did not hold", {
    fields: { Condition: condition },
  });

export const isConditional = (headers: IncomingHttpHeaders): boolean =>
  headers["if-match"] !== undefined || headers["if-none-match"] !== undefined;

/** A guard for writes: 412, or 404 when If-Match meets nothing. Throws NotImplemented for what S3 does not take on writes. */
export function writeGuard(headers: IncomingHttpHeaders, key: string): WriteGuard {
  const ifNoneMatch = header(headers, "if-none-match");
  const ifMatch = header(headers, "if-match");
  if (ifNoneMatch !== undefined && ifNoneMatch.trim() !== "*") {
    throw new S3Error("NotImplemented", "If-None-Match on a write takes only *");
  }
  return (existing) => {
    if (ifNoneMatch !== undefined && existing !== undefined) throw failed("If-None-Match");
    if (ifMatch === undefined) return;
    if (existing === undefined) throw noSuchKey(key);
    if (!matchesEtag(ifMatch, existing.etag)) throw failed("If-Match");
  };
}

/** Throws PreconditionFailed or NotModified, in the order HTTP prescribes. */
export function checkRead(headers: IncomingHttpHeaders, object: StoredObject): void {
  const ifMatch = header(headers, "if-match");
  const unmodifiedSince = Date.parse(header(headers, "if-unmodified-since") ?? "");
  const modifiedSecond = Math.floor(object.modifiedMs / 1_000) * 1_000;
  if (ifMatch !== undefined) {
    if (!matchesEtag(ifMatch, object.etag)) throw failed("If-Match");
  } else if (modifiedSecond > unmodifiedSince) throw failed("If-Unmodified-Since");
  const ifNoneMatch = header(headers, "if-none-match");
  const modifiedSince = Date.parse(header(headers, "if-modified-since") ?? "");
  const unchanged =
    ifNoneMatch === undefined ? modifiedSecond <= modifiedSince : matchesEtag(ifNoneMatch, object.etag);
  if (unchanged) throw new S3Error("NotModified", "Not Modified", { headers: { etag: quoted(object.etag) } });
}

export const matchesEtag = (list: string, etag: string): boolean =>
  list.split(",").some((one) => one.trim() === "*" || unquoted(one.trim()) === etag);

export const quoted = (etag: string): string => `"${etag}"`;
export const unquoted = (etag: string): string => etag.replace(/^"|"$/g, "");
