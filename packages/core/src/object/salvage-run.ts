/**
 * Which parts of an open upload make up the first bytes of a file that nobody can read any more: the unbroken run from
 * part 1. Pure. A part in doubt ends the run before it: an object that ends early is exact, one with a wrong part is not.
 */
import type { ListedPart } from "../ports/object-store.ts";
import { isTail } from "../stream/checkpoint.ts";
import { MIN_PART_BYTES, partBytes, partOffset, type PartPlan } from "../stream/part-plan.ts";
import type { Part, Parts } from "../stream/record.ts";
import { MAX_PARTS } from "../stream/values.ts";

export interface SalvageRun {
  parts: Part[];
  bytes: number;
  /** Parts that S3 holds past the run. */
  leftOut: number;
}

/** `known`: what Redis knows of the stream; without it the listing speaks alone. */
export function salvageRun(
  listed: readonly ListedPart[],
  known?: { parts: Parts; plan: PartPlan },
): SalvageRun {
  const there = new Map(listed.map((part) => [part.PartNumber, part]));
  const parts: Part[] = [];
  let bytes = 0;
  for (let n = 1; n <= MAX_PARTS; n += 1) {
    const seen = there.get(n);
    const part = seen && (known ? checked(seen, bytes, known) : asPart(seen, bytes));
    if (part === undefined) break;
    parts.push(part);
    bytes += part.Size;
    const before = parts.at(-2)?.Size ?? 0;
    const last = known ? isTail(part, known.plan) : part.Size < before;
    // S3 takes a part below its minimum as the last one only.
    if (last || part.Size < MIN_PART_BYTES) break;
  }
  return { parts, bytes, leftOut: listed.length - parts.length };
}

/** The part as the checkpoint has it; one that it does not know must fit on the grid. */
function checked(
  seen: ListedPart,
  offset: number,
  { parts, plan }: { parts: Parts; plan: PartPlan },
): Part | undefined {
  const { PartNumber: n, Size: size, ETag: etag } = seen;
  const recorded = parts.get(n);
  if (recorded)
    return recorded.ETag === etag && recorded.Size === size && recorded.Offset === offset
      ? recorded
      : undefined;
  if (plan.kind === "listed" && n <= plan.count) return undefined;
  const fits = partOffset(plan, n) === offset && size <= partBytes(plan, n);
  return fits ? asPart(seen, offset) : undefined;
}

function asPart({ PartNumber, ETag, Size, ChecksumCRC32, LastModified }: ListedPart, Offset: number): Part {
  return {
    PartNumber,
    ETag,
    Size,
    Offset,
    ...(ChecksumCRC32 === undefined ? {} : { ChecksumCRC32 }),
    ...(LastModified === undefined ? {} : { UploadedAt: LastModified }),
  };
}
