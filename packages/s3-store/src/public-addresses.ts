/** Where a browser finds an object: its address, and one that is signed so that it can be downloaded for a while. */
import type { ObjectRef } from "@sluice/core";
import { connectS3, type S3Connection } from "./connection.ts";
import { attachment } from "./attachment.ts";

export interface Download {
  url: string;
  /** In ms since 1970, on our clock. */
  expiresAtMs: number;
}

export interface PublicAddresses {
  /** Of a bucket's objects, up to and including the slash before the key. */
  of(bucket: string): Promise<string>;
  /** `undefined`: no browser can ask for this key. */
  download(ref: ObjectRef, fileName: string, validMs: number): Promise<Download | undefined>;
}

/** `endpoint`: the store's address for browsers if it is not the worker's; it is only signed for, never called. */
export async function publicAddresses(
  connection: S3Connection,
  endpoint: string | undefined,
): Promise<PublicAddresses> {
  const { settings, config } = connection;
  const region = await config.region();
  const reached = endpoint === undefined ? connection : connectS3({ ...settings, endpoint, region });
  return {
    of: (bucket) => reached.addressOf(bucket),
    async download(ref, fileName, validMs) {
      if (!isReachable(ref.key)) return undefined;
      const { expiration } = await config.credentials();
      const nowMs = Date.now();
      // A signature is never valid for longer than the credentials that made it.
      const endsMs = Math.min(nowMs + validMs, expiration?.getTime() ?? Infinity);
      const seconds = Math.floor((endsMs - nowMs) / 1_000);
      if (seconds < 1) throw new Error("the worker's credentials are about to expire: try again");
      const query = {
        "response-content-disposition": attachment(fileName),
        // Whatever the recording says of itself, no browser interprets it.
        "response-content-type": "application/octet-stream",
      };
      // The store compares with its own clock, which the connection knows.
      const atMs = nowMs + config.systemClockOffset;
      return {
        url: await reached.presign(ref, query, { seconds, atMs }),
        expiresAtMs: nowMs + seconds * 1_000,
      };
    },
  };
}

/** Browsers resolve segments of dots, also encoded ones, before they ask. */
function isReachable(key: string): boolean {
  return key.isWellFormed() && !key.split("/").some((segment) => segment === "." || segment === "..");
}
