/** GetObjectAttributes: the fields of HeadObject and the list of parts, as XML; only what was requested. */
import { type ChecksumAlgorithm, checksumElement, type ChecksumValues } from "../checksums/algorithms.ts";
import { S3Error } from "../errors.ts";
import { type Handler, header, type S3Request, xmlReply } from "../http/exchange.ts";
import { LIMITS } from "../limits.ts";
import type { StoredObject } from "../store/records.ts";
import type { Store } from "../store/store.ts";
import { document, element, parent } from "../xml.ts";
import { storageClassOf } from "./attributes.ts";
import { checkRead } from "./conditions.ts";
import { isMultipart, needObject } from "./get-object.ts";

const ATTRIBUTES = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"] as const;
type Attribute = (typeof ATTRIBUTES)[number];

export const getObjectAttributes: Handler = (request, { store }) => {
  const asked = askedFor(request);
  const object = needObject(store, request.bucket, request.key);
  checkRead(request.headers, object);
  const shown: Record<Attribute, () => string> = {
    ETag: () => element("ETag", object.etag),
    Checksum: () => checksum(object),
    ObjectParts: () => (isMultipart(object) ? objectParts(request, store, object) : ""),
    StorageClass: () => element("StorageClass", storageClassOf(object.attributes)),
    ObjectSize: () => element("ObjectSize", object.size),
  };
  const elements = ATTRIBUTES.filter((name) => asked.has(name)).map((name) => shown[name]());
  return xmlReply(document("GetObjectAttributesResponse", ...elements), {
    "last-modified": new Date(object.modifiedMs).toUTCString(),
  });
};

function askedFor({ headers }: S3Request): ReadonlySet<string> {
  const names = (header(headers, "x-amz-object-attributes") ?? "").split(",").map((name) => name.trim());
  const asked = names.filter((name) => name !== "");
  if (asked.length === 0) {
    throw new S3Error(
      "InvalidRequest",
      "The x-amz-object-attributes header specifying the attributes to be retrieved is either missing or empty",
    );
  }
  const unknown = asked.find((name) => !ATTRIBUTES.some((known) => known === name));
  if (unknown !== undefined) {
    throw new S3Error("InvalidArgument", "Invalid attribute name specified.", {
      fields: { ArgumentName: "x-amz-object-attributes", ArgumentValue: unknown },
    });
  }
  return new Set(asked);
}

function checksum({ checksums, checksumType }: StoredObject): string {
  const values = checksumElements(checksums);
  return values.length === 0 ? "" : parent("Checksum", ...values, element("ChecksumType", checksumType));
}

/** Parts are listed individually only if they have checksums, as on AWS. */
function objectParts({ headers }: S3Request, store: Store, { content }: StoredObject): string {
  const marker = countHeader(header(headers, "x-amz-part-number-marker"), 0);
  const max = Math.min(countHeader(header(headers, "x-amz-max-parts"), LIMITS.maxPage), LIMITS.maxPage);
  const all = store.contents.parts(content);
  const after = all.filter((part) => part.number > marker);
  const page = after.slice(0, max);
  const parts = page.filter((part) => Object.keys(part.checksums).length > 0);
  return parent(
    "ObjectParts",
    element("PartsCount", all.length),
    element("PartNumberMarker", marker),
    element("NextPartNumberMarker", page.at(-1)?.number ?? 0),
    element("MaxParts", max),
    element("IsTruncated", after.length > page.length),
    ...parts.map(({ number, size, checksums }) =>
      parent("Part", element("PartNumber", number), element("Size", size), ...checksumElements(checksums)),
    ),
  );
}

function checksumElements(checksums: ChecksumValues): string[] {
  return Object.entries(checksums).map(([algorithm, value]) =>
    element(checksumElement(algorithm as ChecksumAlgorithm), value),
  );
}

function countHeader(value: string | undefined, otherwise: number): number {
  if (value === undefined) return otherwise;
  if (/^\d{1,9}$/.test(value)) return Number(value);
  throw new S3Error("InvalidArgument", "A count of parts is not an integer");
}
