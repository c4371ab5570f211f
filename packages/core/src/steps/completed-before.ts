/**
 * Redis may have lost the writes that recorded Complete, or be so old that it shows a stream as growing whose object
 * has long existed. If an object has the stream's id and no upload is open, the stream is finished: a file that was
 * tidied since is not missing, and nothing is sent again.
 */
import { multipartEtag } from "../object/multipart-etag.ts";
import { numberedKey, takenKeys } from "../object/object-key.ts";
import type { ObjectRef, StoredObject } from "../ports/object-store.ts";
import { sameFile, type FileFacts, sealedFacts } from "../stream/identity.ts";
import { assembledBefore, recognised } from "./assembled.ts";
import { inspectKey, existingWithMetadata } from "../object/existing-object.ts";
import { headObject } from "../object/object-headers.ts";
import { sendingDone, type StreamContext, type Step } from "./stream-context.ts";
import { baseKey } from "../object/open-object.ts";
import type { ObjectContext } from "../object/context.ts";

/** Names checked for a record that is older than its stream's key. */
const NAMES = 16;

/**
 * For a stream whose own file is nowhere, and which another worker or an earlier process may have completed. Undefined:
 * S3 has no object of it.
 */
export async function landedBefore(stream: StreamContext): Promise<Step | undefined> {
  const { context } = stream;
  if (!context.resumed && !context.deps.recovery.recognise) return undefined;
  const own = await ownObject(context);
  if (!own || !(await fixKey(context, own.ref))) return undefined;
  await sendingDone(stream);
  const facts = { ...sealedFacts(context.held.record), size: own.object.size };
  return await assembledBefore(stream, facts, own.object);
}

/**
 * For a stream that was taken over while Redis may be older than before; runs once, before anything of it is sent,
 * while its own file is at its path.
 */
export async function recogniseFirst(stream: StreamContext): Promise<Step | undefined> {
  const { context } = stream;
  if (!context.recognise || !context.resumed || stream.askedFirst) return undefined;
  const { held, deps } = context;
  const look = await deps.files.look(held.record.original_path);
  const same = look.kind === "file" && sameFile(held.record, look.facts, { at: "its_path", sentBytes: 0 });
  if (look.kind !== "file" || !same || same.kind === "other") return undefined;
  stream.askedFirst = true;
  const own = await ownObject(context);
  // It has grown since, so it continues like any growing file.
  if (own?.object.size !== look.facts.size || !(await fixKey(context, own.ref))) return undefined;
  const existing = await inspectKey(context, own.ref, look.facts);
  return existing.kind === "same" ? await recognised(stream, look.facts, existing) : undefined;
}

/** The object that this stream uploaded to its key, if its upload has ended. */
async function ownObject(
  context: ObjectContext,
): Promise<{ ref: ObjectRef; object: StoredObject } | undefined> {
  for (const ref of refsOf(context)) {
    const head = await headObject(context, ref);
    if (head.kind !== "found") return undefined;
    const facts: FileFacts = { ...sealedFacts(context.held.record), size: head.object.size };
    const existing = await existingWithMetadata(context, ref, head, facts);
    if (existing.kind !== "earlier" || !existing.own) continue;
    return (await isOver(context, ref, existing.object)) ? { ref, object: existing.object } : undefined;
  }
  return undefined;
}

/** A record from before its key was fixed may have got the file's own name, or a numbered one. */
function* refsOf({ held: { record }, rules, deps }: ObjectContext): Iterable<ObjectRef> {
  const { s3_bucket: bucket, s3_key: known } = record;
  if (known !== undefined) return yield { bucket, key: known };
  const base = baseKey(record, rules, deps);
  for (let attempt = 1; attempt <= NAMES; attempt += 1)
    yield { bucket, key: numberedKey(base, attempt, deps.digests.hash) };
}

/** Some stores list the parts of an upload that has ended: then the object's ETag proves that it is made of them. */
async function isOver(context: ObjectContext, ref: ObjectRef, object: StoredObject): Promise<boolean> {
  const { held, deps, store, signal } = context;
  const { s3_upload_id: uploadId } = held.record;
  if (uploadId === undefined) return true;
  const upload = { ...ref, uploadId };
  const listing = await store.ask("ListParts", () => deps.store.listParts(upload), signal);
  if (listing.kind === "gone") return true;
  const etags = listing.parts.map((part) => part.ETag);
  return deps.store.profile.etagIsMd5 && multipartEtag(etags, deps.digests) === object.etag;
}

/** Returns whether the record has the key now. */
async function fixKey({ held }: ObjectContext, { bucket, key }: ObjectRef): Promise<boolean> {
  if (held.record.s3_key === key) return true;
  const takeKeys = takenKeys({ s3_bucket: bucket, s3_key: key });
  return (await held.tryUpdate({ takeKeys, patch: { s3_key: key } })).kind === "written";
}
