/**
 * What a finished object should be, and what was found. Each check is reported separately, so that nothing is claimed
 * without evidence.
 */
import { combineAll, crc32FromBase64, crc32ToBase64, type Head } from "@sluice/core";

/** As recorded when the object was sealed. */
export interface Expected {
  bucket: string;
  key: string;
  /** Bytes. */
  size: number;
  etag?: string | undefined;
  /** Base64, of the whole object. */
  crc32?: string | undefined;
  /** In order; empty for an object sent in one request. */
  parts: readonly { Size: number; ChecksumCRC32?: string | null | undefined }[];
}

export interface Check {
  name: "object" | "size" | "etag" | "parts" | "crc32" | "content" | "file";
  /** Null: it could not be checked, and `detail` says why. */
  ok: boolean | null;
  detail: string;
}

/** The checks that HeadObject's reply and the record allow. Pure. */
export function checkHead(expected: Expected, head: Head): Check[] {
  if (head.kind !== "found") {
    const detail =
      head.kind === "missing"
        ? "no object exists at the key"
        : "the store does not say whether the object exists";
    return [{ name: "object", ok: head.kind === "missing" ? false : null, detail }, checkParts(expected)];
  }
  const { size, etag, crc32 } = head.object;
  return [
    { name: "object", ok: true, detail: "the object exists" },
    compared("size", expected.size, size, "bytes"),
    expected.etag === undefined
      ? { name: "etag", ok: null, detail: "none was recorded" }
      : compared("etag", expected.etag, etag),
    crc32 === undefined || wholeCrc(expected) === undefined
      ? {
          name: "crc32",
          ok: null,
          detail: crc32 === undefined ? "the store has none" : "none was recorded",
        }
      : compared("crc32", wholeCrc(expected), crc32),
    checkParts(expected),
  ];
}

/** Base64 of the whole object's CRC32: as recorded, or combined from the parts. */
export function wholeCrc({ crc32, parts }: Expected): string | undefined {
  return crc32 ?? combined(parts);
}

/** Compares the combined sizes and CRC32s of the parts with the record. */
function checkParts(expected: Expected): Check {
  const { parts, size, crc32 } = expected;
  if (parts.length === 0) return { name: "parts", ok: null, detail: "none are recorded" };
  const bytes = parts.reduce((sum, part) => sum + part.Size, 0);
  if (bytes !== size)
    return { name: "parts", ok: false, detail: `hold ${bytes} bytes; ${size} are recorded` };
  const crc = combined(parts);
  if (crc === undefined)
    return { name: "parts", ok: null, detail: `${parts.length} of the right size; not all have a CRC32` };
  if (crc32 !== undefined && crc !== crc32)
    return { name: "parts", ok: false, detail: `combine to the CRC32 ${crc}; ${crc32} is recorded` };
  return { name: "parts", ok: true, detail: `${parts.length} combine to the CRC32 ${crc}` };
}

function combined(parts: Expected["parts"]): string | undefined {
  const crcs: { crc: number; bytes: number }[] = [];
  for (const { Size, ChecksumCRC32 } of parts) {
    const crc = crc32FromBase64(ChecksumCRC32 ?? "");
    if (crc === undefined) return undefined;
    crcs.push({ crc, bytes: Size });
  }
  return crcs.length === 0 ? undefined : crc32ToBase64(combineAll(crcs));
}

export function compared(
  name: Check["name"],
  wanted: string | number | undefined,
  found: string | number,
  unit = "",
): Check {
  const value = `${found} ${unit}`.trim();
  return wanted === found
    ? { name, ok: true, detail: value }
    : { name, ok: false, detail: `is ${value}, recorded is ${wanted}` };
}

/** A summary in one sentence. */
export function verdictOf(checks: readonly Check[]): { ok: boolean; words: string } {
  const wrong = checks.filter(({ ok }) => ok === false);
  if (wrong.length > 0)
    return { ok: false, words: wrong.map(({ name, detail }) => `${name}: ${detail}`).join("; ") };
  const seen = checks.filter(({ ok }) => ok === true).map(({ name }) => name);
  return seen.length === 0
    ? { ok: false, words: "nothing could be compared" }
    : { ok: true, words: `as recorded: ${seen.join(", ")}` };
}
