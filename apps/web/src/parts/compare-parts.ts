/** Compares what S3 reports with what is recorded, part by part or for the whole object. Pure. */
import type { Part } from "@sluice/core/stream/record";
import { z } from "zod";
import { exactBytes } from "@sluice/control/units";

export const listingSchema = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("alive"),
    parts: z.array(z.object({ PartNumber: z.number(), Size: z.number(), ETag: z.string() })),
  }),
  z.object({ kind: z.literal("gone") }),
]);
export type Listing = z.infer<typeof listingSchema>;

export const headSchema = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("found"),
    object: z.object({ size: z.number(), etag: z.string(), crc32: z.string().optional() }),
  }),
  z.object({ kind: z.literal("missing") }),
  z.object({ kind: z.literal("unknown") }),
]);
export type Head = z.infer<typeof headSchema>;

export interface Difference {
  PartNumber: number;
  what: string;
}

export type Comparison =
  | { kind: "waiting" }
  /** The workers could not answer. */
  | { kind: "refused"; detail: string }
  | { kind: "parts"; same: number; differences: Difference[] }
  | {
      kind: "object";
      same: boolean;
      facts: { name: string; recorded: string; in_s3: string; same: boolean }[];
    }
  | { kind: "gone"; detail: string };

type Recorded = Pick<Part, "PartNumber" | "Size" | "ETag">;

export function compareParts(recorded: readonly Recorded[], listing: Listing): Comparison {
  if (listing.kind === "gone") return { kind: "gone", detail: "the upload does not exist in S3" };
  const known = new Map(recorded.map((part) => [part.PartNumber, part]));
  const listed = new Map(listing.parts.map((part) => [part.PartNumber, part]));
  const differences: Difference[] = [];
  let same = 0;
  for (const number of new Set([...known.keys(), ...listed.keys()])) {
    const what = difference(known.get(number), listed.get(number));
    if (what === undefined) same += 1;
    else differences.push({ PartNumber: number, what });
  }
  return { kind: "parts", same, differences: differences.sort((a, b) => a.PartNumber - b.PartNumber) };
}

function difference(recorded: Recorded | undefined, listed: Recorded | undefined): string | undefined {
  if (listed === undefined) return "recorded, but not in S3";
  // Its acknowledgement may be on its way: a worker looks the part up before it sends it again.
  if (recorded === undefined) return "in S3, not recorded yet";
  if (bare(recorded.ETag) !== bare(listed.ETag)) return `S3 has ETag ${bare(listed.ETag)}`;
  return recorded.Size === listed.Size ? undefined : `S3 has ${exactBytes(listed.Size)}`;
}

export interface RecordedObject {
  size: number;
  etag?: string | undefined;
  crc32?: string | undefined;
}

export function compareObject(recorded: RecordedObject, head: Head): Comparison {
  if (head.kind === "missing") return { kind: "gone", detail: "no object exists at the key" };
  if (head.kind === "unknown")
    return { kind: "refused", detail: "the store does not say whether the object exists" };
  const facts = [fact("Size", String(recorded.size), String(head.object.size))];
  if (recorded.etag !== undefined) facts.push(fact("ETag", bare(recorded.etag), bare(head.object.etag)));
  if (recorded.crc32 !== undefined && head.object.crc32 !== undefined) {
    facts.push(fact("CRC32", recorded.crc32, head.object.crc32));
  }
  return { kind: "object", same: facts.every(({ same }) => same), facts };
}

function fact(name: string, recorded: string, in_s3: string) {
  return { name, recorded, in_s3, same: recorded === in_s3 };
}

function bare(etag: string): string {
  return etag.replace(/^"(.*)"$/, "$1");
}
