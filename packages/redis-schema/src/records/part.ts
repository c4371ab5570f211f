/**
 * `stream:<id>:parts`: part number → JSON. A part that cannot be parsed is left out and reported: the upload's own list
 * restores it, so it never fails the stream.
 */
import { MAX_PARTS, type Part } from "@sluice/core";
import { z } from "zod";
import { parseJson } from "./codec.ts";
import type { RawHash } from "./text.ts";

const whole = z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER);

const partSchema = z.object({
  PartNumber: whole.min(1).max(MAX_PARTS),
  /** An early version stored ETags with their quotes. */
  ETag: z
    .string()
    .transform((etag) => etag.replace(/^"(.*)"$/, "$1"))
    .refine((etag) => etag.length > 0, "is empty"),
  Size: whole,
  Offset: z.exactOptional(whole),
  ChecksumCRC32: z.exactOptional(z.string().regex(/^[A-Za-z0-9+/]{6}==$/, "is not a CRC32 in base64")),
  UploadedAt: z.exactOptional(z.string()),
  Attempts: z.exactOptional(whole),
  DurationMs: z.exactOptional(z.number().nonnegative()),
  Copied: z.exactOptional(z.literal(true)),
});

export interface ParsedParts {
  parts: Map<number, Part>;
  /** Fields that were left out, and why. */
  bad: { field: string; detail: string }[];
}

/** Acknowledged parts by number, and those fields that cannot be read, each with the reason. */
export function parseParts(hash: RawHash): ParsedParts {
  const bad: ParsedParts["bad"] = [];
  const found: (Omit<Part, "Offset"> & { Offset?: number })[] = [];
  for (const [field, text] of Object.entries(hash)) {
    const parsed = parseJson(partSchema, text);
    if (parsed.kind === "corrupt") bad.push({ field, detail: parsed.detail });
    else if (String(parsed.value.PartNumber) !== field)
      bad.push({ field, detail: "PartNumber differs from its field" });
    else found.push(parsed.value);
  }
  found.sort((a, b) => a.PartNumber - b.PartNumber);
  return { parts: placed(found, bad), bad };
}

/** Parts of an early version have no offset: each begins where the one before ends; after a gap it is unknown. */
function placed(
  found: readonly (Omit<Part, "Offset"> & { Offset?: number })[],
  bad: ParsedParts["bad"],
): Map<number, Part> {
  const parts = new Map<number, Part>();
  let runEnd: number | undefined = 0;
  let expected = 1;
  for (const part of found) {
    if (part.PartNumber !== expected) runEnd = undefined;
    const offset: number | undefined = part.Offset ?? runEnd;
    expected = part.PartNumber + 1;
    runEnd = offset === undefined ? undefined : offset + part.Size;
    if (offset === undefined)
      bad.push({
        field: String(part.PartNumber),
        detail: "its offset is unknown: parts before it are missing",
      });
    else parts.set(part.PartNumber, { ...part, Offset: offset });
  }
  return parts;
}

/** The fields in the documented order. */
export function formatPart(part: Part): string {
  const { PartNumber, ETag, Size, Offset, ChecksumCRC32, UploadedAt, Attempts, DurationMs, Copied } = part;
  const sent = { PartNumber, ETag, Size, Offset, ChecksumCRC32, UploadedAt, Attempts, DurationMs };
  return JSON.stringify({ ...sent, Copied });
}
