/**
 * Stores by name, as data: only limits and behaviour that their own documents or maintainers state. Everything else is
 * found out from the bucket itself (probe.ts); what neither knows keeps the cautious value.
 *   cautious ◄── limits by name: settings, else endpoint, else what the server reports ◄── the probe's answers
 */
import type { StoreProfile } from "@sluice/core";
import type { ReplyHeaders } from "./connection.ts";

const GiB = 1024 ** 3;
const TiB = 1024 ** 4;

/** The names that the settings offer (SLUICE_S3_PROFILE). */
export type NamedStore = keyof typeof STORES;
export type StoreName = NamedStore | "unknown";

/** What this adapter knows about a store in addition to what the core needs. Plain JSON: it is saved in Redis. */
export interface S3Profile extends StoreProfile {
  store: StoreName;
  /** Complete supports x-amz-mp-object-size, so that a wrong size is refused. */
  objectSizeInComplete: boolean;
  /** If-Match is compared with the ETag without quotes (Ceph 16): with quotes no ETag ever matches. */
  bareEtagInConditions?: boolean;
  /** Codes with which a body that differs from its checksum is refused, in addition to the common ones. */
  wrongChecksumCodes?: string[];
}

/** For a store about which nothing is known. */
export const CAUTIOUS: S3Profile = {
  store: "unknown",
  checksum: "md5",
  unsignedPayload: false,
  checksumsInComplete: false,
  repeatComplete: false,
  conditionalComplete: false,
  ifMatchOnComplete: "ignored",
  conditionalPut: false,
  listPartsEndsWithComplete: false,
  listPartsEndsWithAbort: false,
  etagIsMd5: false,
  listsUploadsByPrefix: false,
  headMissingIs404: false,
  unequalParts: true,
  copiesRanges: false,
  maxParts: 10_000,
  maxObjectBytes: 5 * TiB,
  objectSizeInComplete: false,
};

/** Stores known to abort no uploads except by lifecycle rules. */
export const ABORTS_NOTHING_ITSELF: ReadonlySet<StoreName> = new Set(["aws", "ceph", "versitygw"]);

interface StoreFacts {
  /** Matched against the endpoint's host name. */
  host?: RegExp;
  limits: Partial<S3Profile>;
  /** Logged at start. */
  notes: readonly string[];
}

const STORES = {
  // docs.aws.amazon.com, qfacts
  aws: {
    host: /(^|\.)amazonaws\.com(\.cn)?$/,
    limits: { maxObjectBytes: 10_000 * 5 * GiB },
    notes: [],
  },
  // developers.cloudflare.com/r2/objects/multipart-objects
  r2: {
    host: /\.r2\.cloudflarestorage\.com$/,
    limits: { unequalParts: false, uploadAgeDays: 7 },
    notes: [
      "Cloudflare R2 answers with errors when more than 2 or 3 parts of one upload are in flight (its own forum and litestream).",
    ],
  },
  b2: { host: /\.backblazeb2\.com$/, limits: {}, notes: [] },
  // rclone provider/GCS.yaml: the XML API has no UploadPartCopy
  gcs: { host: /(^|\.)storage\.googleapis\.com$/, limits: { copiesRanges: false }, notes: [] },
  // docs.wasabi.com, "Multi-Part Uploads"
  wasabi: {
    host: /\.wasabisys\.com$/,
    limits: { replacedParts: "billed" },
    notes: ["Wasabi bills the parts of an aborted upload for 30 days."],
  },
  // minio cmd/erasure-multipart.go, internal/config/api stale_uploads_expiry; its replies name it
  minio: {
    limits: { uploadAgeDays: 1 },
    notes: ["MinIO removes an upload 24 hours after it began unless `api stale_uploads_expiry` is raised."],
  },
  // rclone provider/Scaleway.yaml
  scaleway: {
    host: /\.scw\.cloud$/,
    limits: { maxParts: 1_000 },
    notes: ["Scaleway accepts at most 1,000 parts per object."],
  },
  // rclone provider/Storj.yaml
  storj: {
    host: /(^|\.)storjshare\.io$/,
    limits: { copiesRanges: false },
    notes: ["Storj is made for parts of 64 MiB and more: raise SLUICE_PART_SIZE."],
  },
  digitalocean: { host: /\.digitaloceanspaces\.com$/, limits: {}, notes: [] },
  ovh: { host: /\.(cloud\.ovh\.(net|us)|perf\.cloud\.ovh\.net)$/, limits: {}, notes: [] },
  // micronaut-objectstorage#794
  oci: {
    host: /\.oraclecloud\.com$/,
    limits: {},
    notes: ["Oracle Cloud wants parts of more than 10 MiB: raise SLUICE_PART_SIZE."],
  },
  rustfs: { limits: {}, notes: [] },
  // Tried on 16.2.15: a part sent eight times left seven behind, in the bucket's index and in its pool, after Abort, after
  // Complete, after the object was deleted and after garbage collection. tracker.ceph.com/issues/16767: fixed in later
  // releases of Quincy and Reef (ceph#49709, #51976, #52615), which no reply tells from the others.
  ceph: {
    limits: { replacedParts: "kept" },
    notes: [
      "Ceph before the fix of its issue 16767 (tried: 16.2.15) never frees a part that was sent again under its number, not even with its upload or its object: each header that a recorder rewrites at close leaves one part behind.",
      "Ceph copies bytes physically: what a file's next object takes from the one before is written again.",
    ],
  },
  versitygw: { limits: {}, notes: [] },
  seaweedfs: { limits: {}, notes: [] },
  garage: { limits: {}, notes: [] },
} satisfies Readonly<Record<string, StoreFacts>>;

function factsOf(store: NamedStore): StoreFacts {
  return STORES[store];
}

/** The named store of an endpoint; no endpoint means AWS. */
export function storeAt(endpoint: string | undefined): StoreName {
  if (endpoint === undefined) return "aws";
  const { hostname } = new URL(endpoint);
  const names = Object.keys(STORES) as NamedStore[];
  return names.find((name) => factsOf(name).host?.test(hostname)) ?? "unknown";
}

/** What an operator should know of this store, a sentence each. */
export function notesOf(store: StoreName): readonly string[] {
  return store === "unknown" ? [] : factsOf(store).notes;
}

export function limitsOf(store: StoreName): Partial<S3Profile> {
  return store === "unknown" ? {} : factsOf(store).limits;
}

/** The cautious profile with what is known about a store by name. */
export function namedProfile(store: StoreName): S3Profile {
  return { ...CAUTIOUS, ...limitsOf(store), store };
}

/**
 * Identifies the server that answers, from what every reply contains. Another server behind the same endpoint behaves
 * differently, so answers saved from the former one are no longer valid. Independent of the request: equal for any two
 * replies of one server, and different if the servers differ in anything they report about themselves.
 */
export function serverIdentity(headers: ReplyHeaders): string {
  const families = new Set<string>();
  for (const name of Object.keys(headers)) {
    // Stores that copy S3 add header families of their own: x-minio-, x-rgw-, x-emc-, x-goog-, x-oss- ...
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

/** The alphabet of an id, not its value. */
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

/** As the RADOS Gateway makes its request ids: transaction, time, instance, zone. */
const RGW_REQUEST_ID = /^tx[0-9a-f]+-[0-9a-f]{10}-[0-9a-f]+-./;

/** The store that names itself, or is recognized by its replies; undefined if neither is the case, as behind a proxy. */
export function namedByItself(headers: ReplyHeaders): StoreName | undefined {
  const server = headers["server"] ?? "";
  const found = NAMES.find(([pattern]) => pattern.test(server))?.[1];
  if (found !== undefined) return found;
  if (RGW_REQUEST_ID.test(headers["x-amz-request-id"] ?? "")) return "ceph";
  return Object.keys(headers).some((name) => name.startsWith("x-minio-")) ? "minio" : undefined;
}
