/**
 * Which server answers: what its replies say of it without being asked. Another server behind the same endpoint knows
 * other things, so answers kept from the one before it say nothing any more. Nothing here depends on one request.
 */
import type { StoreName } from "./profiles.ts";

type Headers = Readonly<Record<string, string>>;

/** Equal for any two replies of one server; differs, where the servers differ in anything they say of themselves. */
export function serverIdentity(headers: Headers): string {
  const families = new Set<string>();
  for (const name of Object.keys(headers)) {
    // Stores that copy S3 add families of their own: x-minio-, x-rgw-, x-emc-, x-goog-, x-oss- ...
    const family = /^x-([a-z]+)-/.exec(name)?.[1];
    if (family !== undefined && family !== "content" && family !== "cache") families.add(family);
  }
  return [
    `server=${headers["server"] ?? ""}`,
    `powered=${headers["x-powered-by"] ?? ""}`,
    `families=${[...families].toSorted().join(",")}`,
    `request-id=${shapeOf(headers["x-amz-request-id"])}`,
    `id-2=${shapeOf(headers["x-amz-id-2"])}`,
  ].join(" ");
}

/** Which alphabet an id is written in, not what it says. */
function shapeOf(id: string | undefined): string {
  if (id === undefined || id === "") return "none";
  if (/^tx[0-9a-f-]+/.test(id)) return "tx";
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id)) return "uuid";
  if (/^\d+$/.test(id)) return "digits";
  return /^[0-9A-Za-z]+$/.test(id) ? "alphanumeric" : "other";
}

const NAMES: readonly [pattern: RegExp, store: StoreName][] = [
  [/minio/i, "minio"],
  [/rustfs/i, "rustfs"],
  [/seaweed/i, "seaweedfs"],
  [/versitygw/i, "versitygw"],
  [/\bceph\b|rados/i, "ceph"],
  [/\bgarage\b/i, "garage"],
];

/** The store that names itself; undefined where none does, or only a proxy. */
export function namedByItself(headers: Headers): StoreName | undefined {
  const server = headers["server"] ?? "";
  const found = NAMES.find(([pattern]) => pattern.test(server))?.[1];
  if (found !== undefined) return found;
  return Object.keys(headers).some((name) => name.startsWith("x-minio-")) ? "minio" : undefined;
}
