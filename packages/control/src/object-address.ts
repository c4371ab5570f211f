/** How a finished object is named to other programs and people: for tools, for browsers, in the store's own console. */
import { isStored, type StreamRow } from "./stream-row.ts";

export interface ObjectNames {
  /** As the tools of S3 take it. */
  uri: string;
  /** For users who may read it without a signature, or add one; absent if it is not known, or no browser can ask for the key. */
  address?: string;
  /** In the store's own console; absent without SLUICE_WEB_CONSOLE_URL. */
  console?: string;
}

/**
 * `base`: where a worker says that the objects of this bucket are found. `template`: SLUICE_WEB_CONSOLE_URL. Undefined: there
 * is no object yet.
 */
export function objectNames(
  row: Pick<StreamRow, "kind" | "s3_bucket" | "s3_key">,
  base: string | undefined,
  template: string | undefined,
): ObjectNames | undefined {
  const { s3_bucket: bucket, s3_key: key } = row;
  if (!isStored(row) || !bucket || !key) return undefined;
  const address = addressOf(base, key);
  const console = consoleOf(template, bucket, key);
  return {
    uri: `s3://${bucket}/${key}`,
    ...(address === undefined ? {} : { address }),
    ...(console === undefined ? {} : { console }),
  };
}

function addressOf(base: string | undefined, key: string): string | undefined {
  if (base === undefined || !isWeb(base) || !key.isWellFormed()) return undefined;
  const segments = key.split("/");
  // Browsers resolve these, also encoded, before they ask.
  if (segments.some((segment) => segment === "." || segment === "..")) return undefined;
  return base + segments.map(encoded).join("/");
}

function consoleOf(template: string | undefined, bucket: string, key: string): string | undefined {
  if (template === undefined || !key.isWellFormed() || !bucket.isWellFormed()) return undefined;
  // One pass: a key that contains {bucket} is a key. A function: "$&" in a key stays as it is.
  const link = template.replaceAll(/\{(bucket|key)\}/g, (_, name) =>
    encoded(name === "bucket" ? bucket : key),
  );
  return isWeb(link) ? link : undefined;
}

/** It comes from Redis or from the settings, and becomes a link. */
function isWeb(address: string): boolean {
  const url = URL.parse(address);
  return url !== null && /^https?:$/.test(url.protocol) && url.username === "" && url.password === "";
}

function encoded(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
