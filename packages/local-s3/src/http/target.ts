/** The request line, decoded once: bucket, key and query exactly as the client meant them, whatever bytes the key holds. */
import { S3Error } from "../errors.ts";
import { LIMITS } from "../limits.ts";

export interface Target {
  /** Decoded, begins with "/". What the signature covers. */
  readonly path: string;
  readonly bucket: string | undefined;
  readonly key: string | undefined;
  /** A name given twice keeps its first value; the signature sees `queryPairs`. */
  readonly query: ReadonlyMap<string, string>;
  readonly queryPairs: readonly (readonly [string, string])[];
}

/** Throws InvalidURI or KeyTooLongError. */
export function parseTarget(url: string): Target {
  const mark = url.indexOf("?");
  const path = decode(mark === -1 ? url : url.slice(0, mark));
  if (!path.startsWith("/")) throw invalidUri();
  const queryPairs = mark === -1 ? [] : parseQuery(url.slice(mark + 1));
  const query = new Map<string, string>();
  for (const [name, value] of queryPairs) if (!query.has(name)) query.set(name, value);
  const slash = path.indexOf("/", 1);
  const bucket = (slash === -1 ? path.slice(1) : path.slice(1, slash)) || undefined;
  const key = (slash === -1 ? "" : path.slice(slash + 1)) || undefined;
  if (key !== undefined && Buffer.byteLength(key) > LIMITS.maxKeyBytes) {
    throw new S3Error("KeyTooLongError", "Your key is too long", {
      fields: { Size: String(Buffer.byteLength(key)), MaxSizeAllowed: String(LIMITS.maxKeyBytes) },
    });
  }
  return { path, bucket, key, query, queryPairs };
}

function parseQuery(query: string): (readonly [string, string])[] {
  return query
    .split("&")
    .filter((pair) => pair !== "")
    .map((pair) => {
      const equals = pair.indexOf("=");
      const name = equals === -1 ? pair : pair.slice(0, equals);
      const value = equals === -1 ? "" : pair.slice(equals + 1);
      // In a query, unlike in a path, a bare + is a space.
      return [decode(name.replaceAll("+", " ")), decode(value.replaceAll("+", " "))];
    });
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    throw new S3Error("InvalidURI", "Couldn't parse the specified URI.", { cause: error });
  }
}

const invalidUri = (): S3Error => new S3Error("InvalidURI", "Couldn't parse the specified URI.");
