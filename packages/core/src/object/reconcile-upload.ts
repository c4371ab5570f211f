/**
 * Runs before the first new part of a resumed stream: reconciles what S3 has, what the checkpoint says and what the
 * file contains.
 */
import { crc32ToBase64 } from "./crc32.ts";
import type { ListedPart } from "../ports/object-store.ts";
import type { Part, Parts } from "../stream/record.ts";
import type { OwnedStream } from "../flow/owned-stream.ts";
import { holdsBytes, readDigests, tellsBytes } from "./part-bytes.ts";
import { openOwnFile } from "./proof-by-bytes.ts";
import { sendPart, uploadRef } from "./part-sender.ts";
import { reach, type ObjectContext } from "./context.ts";
import { partBytes, partOffset, type PartPlan } from "../stream/part-plan.ts";
import { MAX_PARTS } from "../stream/values.ts";
import { finishedPrefix } from "../stream/checkpoint.ts";
import { sameFile } from "../stream/identity.ts";

/**
 * Compares what S3 lists of an upload with the checkpoint. Pure: parts whose bytes must be compared with the file
 * before they count are returned as `check`.
 */
export interface Reconciliation {
  /** In the checkpoint, and S3 agrees. */
  keep: Part[];
  /** S3 has it under an ETag that the checkpoint does not know: it counts once its bytes equal the file's. */
  check: { listed: ListedPart; offset: number }[];
  /** Numbers of parts in the checkpoint that S3 does not have in that form, and that are not in `check`. */
  forget: number[];
}

export function reconcile(parts: Parts, listed: readonly ListedPart[], plan: PartPlan): Reconciliation {
  const result: Reconciliation = { keep: [], check: [], forget: [] };
  const there = new Map(listed.map((part) => [part.PartNumber, part]));
  for (const part of parts.values()) {
    const seen = there.get(part.PartNumber);
    if (seen && seen.ETag === part.ETag && seen.Size === part.Size) result.keep.push(part);
  }
  const kept = new Set(result.keep.map((part) => part.PartNumber));
  for (const part of listed) {
    const offset = kept.has(part.PartNumber) ? undefined : offsetOf(part, parts, plan);
    if (offset !== undefined) result.check.push({ listed: part, offset });
  }
  const asked = new Set(result.check.map(({ listed: part }) => part.PartNumber));
  result.forget = [...parts.keys()].filter((n) => !kept.has(n) && !asked.has(n));
  return result;
}

/** Where a listed part begins on the part grid; undefined if none of our parts has that size at that place. */
function offsetOf(part: ListedPart, parts: Parts, plan: PartPlan): number | undefined {
  const { PartNumber: n, Size: size } = part;
  if (n < 1 || n > MAX_PARTS || size === 0) return undefined;
  if (plan.kind === "listed" && n <= plan.count) {
    const known = parts.get(n);
    return known?.Size === size ? known.Offset : undefined;
  }
  return size > partBytes(plan, n) ? undefined : partOffset(plan, n);
}

export type Reconciled =
  | { kind: "reconciled"; adopted: number; forgotten: number }
  | { kind: "upload_gone" }
  | { kind: "file_moved_on" }
  /** `sure: false` and the last part's bytes differ: it is another file. */
  | { kind: "another_file" };

export async function reconcileUpload(context: ObjectContext, sure: boolean): Promise<Reconciled> {
  const { held, store, deps, signal } = context;
  const listing = await store.ask("ListParts", () => deps.store.listParts(uploadRef(held)), signal);
  if (listing.kind === "gone") return { kind: "upload_gone" };
  await noteAbortDate(held, listing.abortsAt);
  const found = reconcile(held.parts, listing.parts, held.plan);
  if (!sure && found.keep.length > 0 && !(await holdsKept(context))) return { kind: "another_file" };
  const adopted: Part[] = [];
  for (const { listed, offset } of found.check) {
    const part = await adopt(context, listed, offset);
    if (part) adopted.push(part);
  }
  // Compared with another file that has its name by now, a part would be taken for a foreign one and sent again.
  if (adopted.length < found.check.length && !(await isOwnFileThere(context)))
    return { kind: "file_moved_on" };
  await reach(context, "reconciling");
  const there = [...found.keep, ...adopted];
  const offGrid = lostOffGrid(held, there);
  const forgotten = await save(context, [...there, ...offGrid], adopted.length);
  for (const part of offGrid) {
    const sent = await sendPart(context, { number: part.PartNumber, offset: part.Offset, bytes: part.Size });
    if (sent.kind !== "sent") return sent;
  }
  return { kind: "reconciled", adopted: adopted.length, forgotten };
}

async function isOwnFileThere({ held, deps }: ObjectContext): Promise<boolean> {
  const look = await deps.files.look(held.record.original_path);
  return look.kind === "file" && sameFile(held.record, look.facts, { at: "its_path" }).kind !== "other";
}

/** A lifecycle rule may have been added or changed since the upload began. */
async function noteAbortDate(held: OwnedStream, said: string | undefined): Promise<void> {
  if (said === undefined || said === held.record.upload_aborts_at_utc) return;
  await held.update({ patch: { upload_aborts_at_utc: said } });
}

/**
 * Parts of an early version are not on a part grid. Those that S3 lacks are sent again as their records say, so the
 * records are kept until then.
 */
function lostOffGrid(held: OwnedStream, there: readonly Part[]): Part[] {
  const { plan } = held;
  if (plan.kind !== "listed") return [];
  const numbers = new Set(there.map((part) => part.PartNumber));
  return [...held.parts.values()].filter(
    (part) => part.PartNumber <= plan.count && !numbers.has(part.PartNumber),
  );
}

/** Returns how many parts of the checkpoint must be sent again. */
async function save(context: ObjectContext, parts: Part[], adopted: number): Promise<number> {
  const { held } = context;
  const numbers = new Set(parts.map((part) => part.PartNumber));
  const forgotten = [...held.parts.keys()].filter((n) => !numbers.has(n)).length;
  if (adopted === 0 && forgotten === 0) return 0;
  const prefix = finishedPrefix(new Map(parts.map((part) => [part.PartNumber, part])), held.plan);
  await held.update({
    dropParts: true,
    parts,
    patch: { next_part: prefix.nextPart, bytes_sent: prefix.bytes },
    log: [`S3 and checkpoint reconciled: ${adopted} parts adopted, ${forgotten} to be sent again`],
  });
  return forgotten;
}

/** The part as a checkpoint entry if its bytes are the file's; undefined if they are not, or that is unknown. */
async function adopt(context: ObjectContext, listed: ListedPart, offset: number): Promise<Part | undefined> {
  const { deps, held } = context;
  if (!tellsBytes(listed, deps.store.profile)) return undefined;
  const read = await readDigests(context, offset, listed.Size, listed.ChecksumCRC32 === undefined);
  if (!read || !holdsBytes(listed, read.crc, read.md5, deps.store.profile)) return undefined;
  deps.observer.partAdopted(held.record, { number: listed.PartNumber, bytes: listed.Size });
  return {
    PartNumber: listed.PartNumber,
    ETag: listed.ETag,
    Size: listed.Size,
    Offset: offset,
    ChecksumCRC32: crc32ToBase64(read.crc),
    ...(listed.LastModified === undefined ? {} : { UploadedAt: listed.LastModified }),
    Attempts: 1,
  };
}

async function holdsKept(context: ObjectContext): Promise<boolean> {
  await using file = await openOwnFile(context);
  return file !== undefined;
}
