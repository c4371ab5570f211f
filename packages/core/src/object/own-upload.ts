/**
 * Finds an upload on our key left by a Create whose answer never reached Redis. It is ours only if nothing in it
 * contradicts the file: it is empty, or every listed part equals the local bytes on our part grid. If Redis was found
 * empty, the upload may be older than its stream's new record; then only parts, at least one and all equal, prove it
 * ours.
 */
import { partBytes, partOffset } from "../stream/part-plan.ts";
import type {
  CreatedUpload,
  ListedPart,
  Listing,
  ObjectRef,
  OpenUpload,
  UploadRef,
} from "../ports/object-store.ts";
import { uploadAbortsAt } from "../stream/upload-age.ts";
import { MAX_PARTS } from "../stream/values.ts";
import { holdsBytes, readDigests } from "./part-bytes.ts";
import type { ObjectContext } from "./context.ts";

/** Tolerance for clock differences beyond the known skew: an upload this much older still counts as younger. */
const CLOCK_TOLERANCE_MS = 15 * 60_000;

/** The newest upload on our key that may be this stream's; undefined if there is none. */
export async function findOwnUpload(
  context: ObjectContext,
  ref: ObjectRef,
): Promise<CreatedUpload | undefined> {
  const { store, deps, signal } = context;
  const uploads = await store.ask("ListMultipartUploads", () => uploadsAt(context, ref), signal);
  for (const { uploadId, initiated, older } of uploads) {
    const listing = await fitting(context, { ...ref, uploadId }, older ? 1 : 0);
    const abortsAt = uploadAbortsAt(listing?.abortsAt, Date.parse(initiated ?? ""), deps.store.profile);
    if (listing) return { uploadId, ...(abortsAt !== undefined && { abortsAt }) };
  }
  return undefined;
}

/**
 * Removes what a process that was taken for dead, or a Create that was taken for lost, may have left on our key. Only
 * empty ones: an upload with parts may be kept for a stream that had this key before.
 */
export async function abortEmptyUploads(context: ObjectContext, ref: ObjectRef): Promise<void> {
  const { store, deps, signal } = context;
  const uploads = await store.ask("ListMultipartUploads", () => uploadsAt(context, ref), signal);
  for (const { uploadId, older } of uploads) {
    // The stream's own upload has been completed: a listing that still shows it is ignored.
    if (older || uploadId === context.held.record.s3_upload_id) continue;
    const upload = { ...ref, uploadId };
    const listing = await store.ask("ListParts", () => deps.store.listParts(upload), signal);
    if (listing.kind === "gone" || listing.parts.length > 0) continue;
    await store.ask("AbortMultipartUpload", () => deps.store.abort(upload), signal);
  }
}

/** Aborts the stream's upload, also one whose Create was answered after the record was last written. */
export async function abortUpload(context: ObjectContext): Promise<void> {
  const { held, deps, store, signal } = context;
  const { s3_bucket: bucket, s3_key: key, s3_upload_id: known, create_intent_at_utc } = held.record;
  if (key === undefined) return;
  const interrupted = known === undefined && create_intent_at_utc !== undefined;
  const uploadId = interrupted ? (await findOwnUpload(context, { bucket, key }))?.uploadId : known;
  if (uploadId === undefined) return;
  await store.ask("AbortMultipartUpload", () => deps.store.abort({ bucket, key, uploadId }), signal);
}

interface Candidate extends OpenUpload {
  /** It began before the stream's record, so only its parts can prove it ours. */
  older: boolean;
}

/**
 * Uploads on exactly this key, newest first: those that began after the stream; older ones only if Redis was emptied.
 */
async function uploadsAt(context: ObjectContext, ref: ObjectRef): Promise<Candidate[]> {
  const { held, deps } = context;
  const { create_intent_at_utc: intended, started_at_utc: started } = held.record;
  const beganMs =
    intended === undefined ? Date.parse(started) + deps.store.clockSkewMs : Date.parse(intended);
  const notBefore = beganMs - CLOCK_TOLERANCE_MS;
  const found: Candidate[] = [];
  for await (const upload of deps.store.listUploads(ref.bucket, ref.key)) {
    if (upload.key !== ref.key || context.ended.has(upload.uploadId)) continue;
    const older = !(Date.parse(upload.initiated ?? "") >= notBefore);
    if (!older || context.recognise) found.push({ ...upload, older });
  }
  return found.toSorted((a, b) => Date.parse(b.initiated ?? "") - Date.parse(a.initiated ?? ""));
}

/** Undefined if something in it contradicts the file. */
async function fitting(
  context: ObjectContext,
  ref: UploadRef,
  atLeast: number,
): Promise<Extract<Listing, { kind: "alive" }> | undefined> {
  const { store, deps, signal } = context;
  const listing = await store.ask("ListParts", () => deps.store.listParts(ref), signal);
  if (listing.kind === "gone" || listing.parts.length < atLeast) return undefined;
  for (const part of listing.parts) {
    if (!(await equalsFile(context, part))) return undefined;
  }
  return listing;
}

async function equalsFile(context: ObjectContext, part: ListedPart): Promise<boolean> {
  const { held, deps } = context;
  const plan = held.plan;
  // Parts of an upload of an early version are known only from their records.
  if (plan.kind === "listed") return false;
  if (part.PartNumber > MAX_PARTS || part.Size > partBytes(plan, part.PartNumber)) return false;
  const read = await readDigests(context, partOffset(plan, part.PartNumber), part.Size);
  return read !== undefined && holdsBytes(part, read.crc, read.md5, deps.store.profile);
}
