/**
 * Extends an earlier object of the same file: what the file still has is copied inside the store, and only the rest is
 * sent. The plan is fixed before the upload is opened (open-object.ts); each of its first parts is then copied and
 * compared with the file, or sent.
 *
 *   copy ─► the store's digest of the part = the file's ─► recorded, no byte sent
 *    │                  └── differs ──────────────────────► sent
 *    ├── refused, or the store answers with errors ───────► sent, and all that follow
 *    └── the object to copy from was replaced ────────────► a conflict, or sent, and all that follow
 *
 * What a metadata object says about an earlier object is a hint that others can write: it only shows what is not worth
 * a copy.
 */
import { StoreError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { isoNow } from "../ports/clock.ts";
import type { CopyOutcome, ObjectRef, StoredObject } from "../ports/object-store.ts";
import type { PartRange } from "../stream/checkpoint.ts";
import { sameFile, sealedFacts, type FileFacts } from "../stream/identity.ts";
import {
  choosePlan,
  extendedPlan,
  formatPlan,
  partBytes,
  partOffset,
  planCapacity,
  type PartPlan,
} from "../stream/part-plan.ts";
import type { Part, RecordPatch } from "../stream/record.ts";
import { foreignObject } from "./complete.ts";
import { reach, type ObjectContext } from "./context.ts";
import { crc32ToBase64 } from "./crc32.ts";
import { compareWithObject } from "./earlier-object.ts";
import { existingWithMetadata } from "./existing-object.ts";
import { headObject } from "./object-headers.ts";
import { holdsBytes, rangeCrc, tellsBytes } from "./part-bytes.ts";
import { sendPart, uploadRef, type Sent } from "./part-sender.ts";
import { openOwnFile } from "./proof-by-bytes.ts";
import type { ComparedRange } from "./matching-bytes.ts";

type CopiedPlan = Extract<PartPlan, { kind: "copied" }>;

/** The fields of the record for an upload about to be opened next to an earlier object of the file, or without one. */
export async function planExtension(
  context: ObjectContext,
  ref: ObjectRef,
  earlier: StoredObject | undefined,
  facts: FileFacts,
): Promise<RecordPatch> {
  const plan = earlier && (await planFor(context, ref, earlier, facts));
  if (plan) return { part_plan: formatPlan(plan), extends: earlier.etag };
  // A plan for an upload that no longer exists: nothing is copied this time.
  if (context.held.plan.kind !== "copied") return {};
  return { part_plan: formatPlan(choosePlan(context.rules.plan)), extends: null };
}

async function planFor(
  context: ObjectContext,
  ref: ObjectRef,
  object: StoredObject,
  facts: FileFacts,
): Promise<CopiedPlan | undefined> {
  const plan = object.size <= facts.size ? extensionOf(context, object.size) : undefined;
  if (!plan || planCapacity(plan, context.deps.store.profile.maxParts) < facts.size) return undefined;
  const { matches, ranges } = await compareWithObject(context, ref, object);
  return matches && isWorthACopy(plan, ranges) ? plan : undefined;
}

/** The plan that extends an object of this size; undefined if nothing of it can be copied. */
export function extensionOf({ deps, rules }: ObjectContext, objectBytes: number): CopiedPlan | undefined {
  const { copiesRanges, maxParts } = deps.store.profile;
  return copiesRanges ? extendedPlan(choosePlan(rules.plan), objectBytes, maxParts) : undefined;
}

function isWorthACopy(plan: CopiedPlan, ranges: readonly ComparedRange[]): boolean {
  for (let n = 1; n <= plan.count; n += 1) if (mayBeEqual(plan, n, ranges)) return true;
  return false;
}

/** A part that contains a whole differing range differs itself; one that only overlaps with it is tried. */
export function mayBeEqual(plan: CopiedPlan, n: number, ranges: readonly ComparedRange[]): boolean {
  const from = partOffset(plan, n);
  const end = from + partBytes(plan, n);
  return !ranges.some(
    ({ is, offset, bytes }) => is === "different" && offset >= from && offset + bytes <= end,
  );
}

/** Brings the range into S3 and into the checkpoint: copied if that is planned and verified, else sent. */
export async function fillPart(context: ObjectContext, range: PartRange): Promise<Sent> {
  const etag = isToCopy(context, range) ? context.held.record.extends : undefined;
  const copied = etag === undefined ? undefined : await copyPart(context, range, etag);
  return copied ?? (await sendPart(context, range));
}

function isToCopy({ held, deps, compared }: ObjectContext, range: PartRange): boolean {
  const { plan, record } = held;
  if (plan.kind !== "copied" || range.number > plan.count || !deps.store.profile.copiesRanges) return false;
  const known = compared.get(`${record.s3_key} ${record.extends}`);
  return known === undefined || mayBeEqual(plan, range.number, known.ranges);
}

/** Undefined: the part must be sent. */
async function copyPart(context: ObjectContext, range: PartRange, etag: string): Promise<Sent | undefined> {
  const { held, deps, signal } = context;
  const slot = await deps.lane.enter(held.record.id, signal);
  try {
    await reach(context, "part_copying");
    const startedMs = deps.clock.monotonicMs();
    const answer = await askForCopy(context, range, etag);
    if (answer.kind === "gone") return { kind: "upload_gone" };
    if (answer.kind === "source_changed") return await sourceChanged(context, etag);
    if (answer.kind === "refused")
      return await stopCopying(context, `the store does not copy: ${answer.detail}`);
    await reach(context, "part_copied");
    const crc = await provedCrc(context, { range, etag, copied: answer, buffer: slot.buffer });
    if (crc === "file_moved_on") return { kind: crc };
    if (crc === undefined) {
      deps.observer.decided(held.record, `part ${range.number} differs from the object before: it is sent`);
      return undefined;
    }
    const part: Part = {
      PartNumber: range.number,
      ETag: answer.etag,
      Size: range.bytes,
      Offset: range.offset,
      ChecksumCRC32: crc32ToBase64(crc),
      UploadedAt: isoNow(deps.clock),
      Attempts: 1,
      DurationMs: Math.round(deps.clock.monotonicMs() - startedMs),
      Copied: true,
    };
    await held.savePart(part);
    await reach(context, "part_recorded");
    deps.observer.partCopied(held.record, {
      number: range.number,
      bytes: range.bytes,
      ms: part.DurationMs ?? 0,
    });
    return { kind: "sent", part };
  } finally {
    slot.release();
  }
}

type Copied = Extract<CopyOutcome, { kind: "copied" }>;

/** A store that repeatedly answers this copy with errors may still accept the bytes. */
async function askForCopy(context: ObjectContext, range: PartRange, etag: string): Promise<CopyOutcome> {
  const { held, deps, store, signal } = context;
  const { s3_bucket: bucket, s3_key: key = "" } = held.record;
  const ref = uploadRef(held);
  const { offset: first, bytes } = range;
  const request = {
    source: { bucket, key },
    ifMatch: etag,
    range: { first, last: first + bytes - 1 },
    signal,
  };
  let errors = 0;
  return await store.ask<CopyOutcome>(
    "UploadPartCopy",
    async () => {
      if (errors >= LIMITS.copyAttempts) return { kind: "refused", detail: `${errors} errors in a row` };
      try {
        return await deps.store.copyPart(ref, range.number, request);
      } catch (error) {
        const answered =
          error instanceof StoreError && (error.status !== undefined || error.code === "BadReply");
        if (answered && error.trouble !== "throttled") errors += 1;
        throw error;
      }
    },
    signal,
    async () => {
      const listing = await store.ask("ListParts", () => deps.store.listParts(ref), signal);
      if (listing.kind === "gone") return { kind: "gone" };
      const listed = listing.parts.find((part) => part.PartNumber === range.number);
      // Without a digest it may be what was sent under this number before.
      if (listed?.Size !== bytes || !tellsBytes(listed, deps.store.profile)) return undefined;
      const { ETag, ChecksumCRC32: crc32 } = listed;
      return { kind: "copied", etag: ETag, ...(crc32 !== undefined && { crc32 }) };
    },
  );
}

interface Proof {
  range: PartRange;
  etag: string;
  copied: Copied;
  buffer: Uint8Array;
}

/** The CRC32 of the file's range if the copied part is proved to have the same bytes; else undefined. */
async function provedCrc(
  context: ObjectContext,
  { range, etag, copied, buffer }: Proof,
): Promise<number | "file_moved_on" | undefined> {
  const { held, deps } = context;
  const { profile } = deps.store;
  const listed = { ETag: copied.etag, ...(copied.crc32 !== undefined && { ChecksumCRC32: copied.crc32 }) };
  const md5 = listed.ChecksumCRC32 === undefined && profile.etagIsMd5 ? deps.digests.md5() : undefined;
  await using source = await context.file.hold(() => openOwnFile(context));
  const asked = { at: "its_path", sentBytes: range.offset + range.bytes } as const;
  const same = source && sameFile(held.record, await source.file.facts(), asked);
  if (!source || same?.kind === "other") return "file_moved_on";
  const crc = await rangeCrc(source.file, range, buffer, deps.digests, (chunk) => md5?.update(chunk));
  if (crc === undefined) return "file_moved_on";
  if (tellsBytes(listed, profile))
    return holdsBytes(listed, crc, md5?.hex() ?? "", profile) ? crc : undefined;
  return (await crcInStore(context, range, etag)) === crc ? crc : undefined;
}

/**
 * For stores that report nothing about a copied part: reads the same range back, from the object if it is unchanged.
 */
async function crcInStore(
  context: ObjectContext,
  range: PartRange,
  etag: string,
): Promise<number | undefined> {
  const { held, deps, store, signal } = context;
  const { s3_bucket: bucket, s3_key: key = "" } = held.record;
  const span = { first: range.offset, last: range.offset + range.bytes - 1 };
  const crc = await store.ask(
    "GetObject",
    async () => {
      let so = 0;
      try {
        for await (const chunk of deps.store.read({ bucket, key }, span)) so = deps.digests.crc32(chunk, so);
      } catch (error) {
        if (error instanceof StoreError && error.status === 404) return undefined;
        throw error;
      }
      return so;
    },
    signal,
  );
  const head = await headObject(context, { bucket, key });
  return head.kind === "found" && head.object.etag === etag ? crc : undefined;
}

/** Another program's object is never replaced; if there is none, or a later one of this file, all bytes are sent. */
async function sourceChanged(context: ObjectContext, etag: string): Promise<undefined> {
  const { held, rules } = context;
  const { s3_bucket: bucket, s3_key: key = "" } = held.record;
  const head = await headObject(context, { bucket, key });
  // It exists, so the error was about the upload, and sending the part will show it.
  if (head.kind === "found" && head.object.etag === etag) return undefined;
  const existing = await existingWithMetadata(context, { bucket, key }, head, sealedFacts(held.record));
  if (existing.kind === "foreign" && rules.onConflict !== "overwrite") throw foreignObject({ key });
  return await stopCopying(context, "the object to copy from no longer exists as it was");
}

async function stopCopying({ held, deps }: ObjectContext, why: string): Promise<undefined> {
  if (held.record.extends === undefined) return undefined;
  const words = `${why}; what was not copied yet is sent`;
  await held.update({ patch: { extends: null }, log: [words] });
  deps.observer.decided(held.record, words);
  return undefined;
}
