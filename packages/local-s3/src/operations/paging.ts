/** The query parameters that all listings share, parsed once, and the encoding of keys that encoding-type=url asks for. */
import { S3Error } from "../errors.ts";
import { LIMITS } from "../limits.ts";

/** max-keys, max-parts, max-uploads: anything above the limit means the limit. Throws InvalidArgument. */
export function pageSize(query: ReadonlyMap<string, string>, name: string): number {
  return Math.min(countParameter(query, name) ?? LIMITS.maxPage, LIMITS.maxPage);
}

/** A non-negative integer. Throws InvalidArgument. */
export function countParameter(query: ReadonlyMap<string, string>, name: string): number | undefined {
  const value = query.get(name);
  if (value === undefined || value === "") return undefined;
  if (!/^\d{1,10}$/.test(value) || Number(value) > 2 ** 31 - 1) {
    throw new S3Error("InvalidArgument", `Provided ${name} not an integer or within integer range`, {
      fields: { ArgumentName: name, ArgumentValue: value },
    });
  }
  return Number(value);
}

export interface KeyEncoding {
  /** The EncodingType element's value. */
  readonly type: "url" | undefined;
  encode(key: string): string;
}

export function keyEncoding(query: ReadonlyMap<string, string>): KeyEncoding {
  const type = query.get("encoding-type");
  if (type === undefined || type === "") return { type: undefined, encode: (key) => key };
  if (type !== "url") throw new S3Error("InvalidArgument", "Invalid Encoding Method specified in Request");
  return { type: "url", encode: (key) => key.split("/").map(encodeURIComponent).join("/") };
}

/** The later of two places to begin, in byte order. */
export const laterOf = (a: Buffer, b: Buffer): Buffer => (Buffer.compare(a, b) >= 0 ? a : b);

export const isoTime = (ms: number): string => new Date(ms).toISOString();
