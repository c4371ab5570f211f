/**
 * The outcome of a Complete: a pure function of the request, the upload and its parts. The rules and their order are
 * those of AWS.
 */
import { createHash } from "node:crypto";
import {
  type ChecksumAlgorithm,
  checksumElement,
  CHECKSUM_ALGORITHMS,
  type ChecksumType,
  type ChecksumValues,
  combineChecksums,
} from "../checksums/algorithms.ts";
import { S3Error } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import type { Quirks } from "../quirks.ts";
import type { StoredPart, StoredUpload } from "../store/records.ts";

export interface ListedPart {
  readonly number: number;
  readonly etag: string;
  readonly checksums: ChecksumValues;
}

export interface CompleteRequest {
  readonly listed: readonly ListedPart[];
  /** x-amz-mp-object-size */
  readonly objectSize: number | undefined;
  /** x-amz-checksum-<algorithm> of the whole object */
  readonly checksums: ChecksumValues;
  readonly checksumType: ChecksumType | undefined;
}

export interface Assembled {
  readonly parts: readonly StoredPart[];
  readonly size: number;
  /** MD5 of the parts' MD5s, and their number; the parts' ETags are taken for MD5s. */
  readonly etag: string;
  readonly checksums: ChecksumValues;
  readonly checksumType: ChecksumType | undefined;
  /** Numbers of the parts that were uploaded and not listed. */
  readonly dropped: readonly number[];
}

const invalidPart = (number: number): S3Error =>
  new S3Error(
    "InvalidPart",
    "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
    { fields: { PartNumber: String(number) } },
  );

/** Throws the refusal. */
export function decideComplete(
  request: CompleteRequest,
  upload: StoredUpload,
  stored: readonly StoredPart[],
  quirks: Quirks,
): Assembled {
  const { listed } = request;
  checkOrder(listed, upload);
  const byNumber = new Map(stored.map((part) => [part.number, part]));
  const parts = listed.map((wanted) => matchPart(wanted, byNumber.get(wanted.number), upload, quirks));
  const kept = new Set(listed.map((wanted) => wanted.number));
  const dropped = stored.map((part) => part.number).filter((number) => !kept.has(number));
  checkSizes(parts, quirks);
  if (quirks.refuseUnlistedParts === true && dropped[0] !== undefined) throw invalidPart(dropped[0]);
  const size = parts.reduce((sum, part) => sum + part.size, 0);
  if (request.objectSize !== undefined && request.objectSize !== size && quirks.ignoreObjectSize !== true) {
    throw new S3Error(
      "InvalidRequest",
      "The provided 'x-amz-mp-object-size' header does not match what was computed.",
      {
        fields: { ProvidedObjectSize: String(request.objectSize), ComputedObjectSize: String(size) },
      },
    );
  }
  if (size > LIMITS.maxObjectBytes)
    throw new S3Error("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size");
  return { parts, size, etag: multipartEtag(parts), dropped, ...wholeChecksum(request, upload, parts) };
}

function checkOrder(listed: readonly ListedPart[], upload: StoredUpload): void {
  const composite =
    upload.checksum?.type === "COMPOSITE" || listed.some((part) => Object.keys(part.checksums).length > 0);
  listed.forEach((part, index) => {
    const before = listed[index - 1]?.number ?? 0;
    if (part.number <= before) {
      throw new S3Error(
        "InvalidPartOrder",
        "The list of parts was not in ascending order. Parts must be ordered by part number.",
      );
    }
    if (composite && part.number !== index + 1) {
      throw new S3Error(
        "InvalidPartOrder",
        "With part checksums, part numbers must be consecutive and begin with 1.",
      );
    }
  });
}

function matchPart(
  wanted: ListedPart,
  part: StoredPart | undefined,
  { checksum }: StoredUpload,
  quirks: Quirks,
): StoredPart {
  if (part === undefined || part.etag !== wanted.etag) throw invalidPart(wanted.number);
  for (const algorithm of CHECKSUM_ALGORITHMS) {
    const claimed = wanted.checksums[algorithm];
    if (claimed !== undefined && claimed !== part.checksums[algorithm]) throw invalidPart(wanted.number);
  }
  const demanded = checksum?.type === "COMPOSITE" || quirks.demandPartChecksums === true;
  if (demanded && checksum !== undefined && wanted.checksums[checksum.algorithm] === undefined) {
    throw new S3Error(
      "InvalidRequest",
      `The upload was created using a ${checksum.algorithm.toLowerCase()} checksum. The complete request must include the checksum for each part. It was missing for part ${wanted.number} in the request.`,
    );
  }
  return part;
}

function checkSizes(parts: readonly StoredPart[], quirks: Quirks): void {
  for (const part of parts.slice(0, -1)) {
    if (part.size < LIMITS.minPartBytes) {
      throw new S3Error("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size", {
        fields: {
          ProposedSize: String(part.size),
          MinSizeAllowed: String(LIMITS.minPartBytes),
          PartNumber: String(part.number),
          ETag: part.etag,
        },
      });
    }
    if (quirks.equalParts === true && part.size !== parts[0]?.size) throw invalidPart(part.number);
  }
  const [first, last] = [parts[0], parts.at(-1)];
  if (quirks.equalParts === true && first !== undefined && last !== undefined && last.size > first.size)
    throw invalidPart(last.number);
}

function multipartEtag(parts: readonly StoredPart[]): string {
  const md5 = createHash("md5");
  for (const part of parts) md5.update(Buffer.from(part.etag, "hex"));
  return `${md5.digest("hex")}-${parts.length}`;
}

/** Without an algorithm declared at Create, a whole-object checksum is ignored, as on AWS. */
function wholeChecksum(
  request: CompleteRequest,
  { checksum }: StoredUpload,
  parts: readonly StoredPart[],
): Pick<Assembled, "checksums" | "checksumType"> {
  if (checksum === undefined) return { checksums: {}, checksumType: undefined };
  const { algorithm, type } = checksum;
  if (request.checksumType !== undefined && request.checksumType !== type) {
    throw new S3Error(
      "InvalidRequest",
      `The upload was created using the ${type} checksum mode. The complete request must use the same checksum mode.`,
    );
  }
  const other = CHECKSUM_ALGORITHMS.find(
    (name) => name !== algorithm && request.checksums[name] !== undefined,
  );
  if (other !== undefined) {
    throw new S3Error(
      "InvalidRequest",
      `Checksum Type mismatch occurred, expected checksum Type: ${algorithm.toLowerCase()}, actual checksum Type: ${other.toLowerCase()}`,
    );
  }
  const value = combineChecksums(
    algorithm,
    type,
    parts.map((part) => ({ value: partChecksum(part, algorithm), size: part.size })),
  );
  const claimed = request.checksums[algorithm];
  // A composite may be claimed with or without its -N.
  if (
    claimed !== undefined &&
    claimed !== value &&
    !(type === "COMPOSITE" && claimed === value.replace(/-\d+$/, ""))
  ) {
    throw new S3Error(
      "BadDigest",
      `The ${algorithm.toLowerCase()} you specified did not match the calculated checksum.`,
      {
        fields: { [checksumElement(algorithm)]: value },
      },
    );
  }
  return { checksums: { [algorithm]: value }, checksumType: type };
}

function partChecksum(part: StoredPart, algorithm: ChecksumAlgorithm): string {
  const value = part.checksums[algorithm];
  if (value === undefined) throw new Error(`part ${part.number} has no ${algorithm}`);
  return value;
}
