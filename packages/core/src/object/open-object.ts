/**
 * Fixes the stream's key, at which none of our other streams has or writes an object, and opens its upload. The intent
 * is saved before CreateMultipartUpload is sent, so that a crash in between leaves nothing unknown behind.
 */
import { StreamFailure } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { looksLikeMetadataKey, metadataKey, numberedKey, objectKey, takenKeys } from "./object-key.ts";
import type {
  Condition,
  CreatedUpload,
  ObjectHeaders,
  ObjectRef,
  StoredObject,
} from "../ports/object-store.ts";
import { formatBytes } from "../stream/format-bytes.ts";
import type { FileFacts } from "../stream/identity.ts";
import type { StreamRecord } from "../stream/record.ts";
import { uploadAbortsAt } from "../stream/upload-age.ts";
import type { ProcessorDeps, WatchRules } from "../flow/dependencies.ts";
import type { OwnedStream } from "../flow/owned-stream.ts";
import {
  conditionFor,
  bearsIds,
  inspectKey,
  existingWithMetadata,
  type SameBytes,
  type ExistingObject,
} from "./existing-object.ts";
import { FILE_HEADER, STREAM_ID_HEADER, fileToken, headObject } from "./object-headers.ts";
import { mayBeCopyOf, stillBeingCopied } from "./copied-back.ts";
import type { CopyOf } from "./matching-bytes.ts";
import { planExtension } from "./extend.ts";
import { isDescription, existingMetadata } from "./metadata-object.ts";
import { findOwnUpload } from "./own-upload.ts";
import { mayMakeObject, reach, type ObjectContext } from "./context.ts";

/** `same`: an object with the file's bytes already exists. */
export type KeyChoice =
  /** `earlier`: the object of an earlier stream of the same file, which this stream's replaces. */
  | { kind: "key"; ref: ObjectRef; condition: Condition; earlier?: StoredObject }
  | { kind: "same"; ref: ObjectRef; existing: SameBytes }
  /** The file begins like a longer object of its path, and is still growing. */
  | { kind: "copy"; of: CopyOf };

export interface KeySearch {
  /** `false` leaves the check to the write's own condition (If-None-Match), which saves a request. */
  askFirst: boolean;
  /** The name is free only if its metadata's name is. A single Put leaves that to the Put of the metadata. */
  withMetadata: boolean;
  /** The file is not complete: it may become one that one of our objects contains already. */
  growing?: boolean;
  /** Keys known to have an object of another file or program. */
  refused?: ReadonlySet<string>;
}

/**
 * Chooses the stream's key, which is fixed in Redis on return. It is taken before the store is asked: from then on none
 * of our other streams writes an object there. A key that is already fixed comes first: it is the predecessor's, or
 * this stream's own from before a crash. Then come the file's own name and its numbered ones, of which the first free
 * one is found by doubling.
 */
export async function chooseKey(
  context: ObjectContext,
  facts: FileFacts,
  search: KeySearch,
): Promise<KeyChoice> {
  const { held, rules, deps } = context;
  const base = baseKey(held.record, rules, deps);
  const named = (number: number): string => numberedKey(base, number, deps.digests.hash);
  for (const key of new Set([held.record.s3_key ?? base, base, named(2)])) {
    const choice = await tryKey(context, key, facts, search);
    if (choice) return choice;
  }
  const free = await firstFree(async (number) => {
    const ref = { bucket: held.record.s3_bucket, key: named(number) };
    return !search.refused?.has(ref.key) && (await mayBeFree(context, ref, facts));
  });
  for (let number = free; number < free + LIMITS.keyAttempts; number += 1) {
    const choice = await tryKey(context, named(number), facts, search);
    if (!choice) continue;
    if (choice.kind === "key") await reportNames(context, named, number);
    return choice;
  }
  throw conflict(base);
}

/** As few requests as possible, only for the search: the name it ends at is checked completely. */
async function mayBeFree(context: ObjectContext, ref: ObjectRef, facts: FileFacts): Promise<boolean> {
  const head = await headObject(context, ref);
  if (head.kind !== "found" || context.rules.onConflict === "overwrite") return true;
  if (!bearsIds(head.object)) return false;
  return (await existingWithMetadata(context, ref, head, facts)).kind !== "foreign";
}

/** Undefined: the name is taken. */
async function tryKey(
  context: ObjectContext,
  key: string,
  facts: FileFacts,
  search: KeySearch,
): Promise<KeyChoice | undefined> {
  const { held, rules } = context;
  if (search.refused?.has(key)) return undefined;
  const ref = { bucket: held.record.s3_bucket, key };
  const taken = await takeKey(context, ref);
  // Even under "overwrite", a file of that name must not replace the JSON that describes another of our objects.
  const mustAsk = search.askFirst || (rules.onConflict === "overwrite" && looksLikeMetadataKey(key));
  const choice = taken ? await ask(context, ref, facts, { ...search, askFirst: mustAsk }) : undefined;
  if (!choice && rules.onConflict === "fail") throw conflict(key);
  return choice;
}

/** Whether the name may be this stream's, according to the store. */
async function ask(
  context: ObjectContext,
  ref: ObjectRef,
  facts: FileFacts,
  search: KeySearch,
): Promise<KeyChoice | undefined> {
  const { rules } = context;
  const existing: ExistingObject | SameBytes = search.askFirst
    ? await inspectKey(context, ref, facts)
    : { kind: "free" };
  if (existing.kind === "same") return { kind: "same", ref, existing };
  const choice: KeyChoice = { kind: "key", ref, condition: conditionFor(existing, rules) };
  if (existing.kind === "earlier") return existing.own ? choice : { ...choice, earlier: existing.object };
  if (existing.kind === "foreign") {
    const of = search.growing && existing.longer && (await mayBeCopyOf(context, ref, existing.longer, facts));
    if (of) return { kind: "copy", of };
    if (rules.onConflict !== "overwrite") return undefined;
    if (looksLikeMetadataKey(ref.key) && (await isDescription(context, ref))) return undefined;
  }
  if (!search.withMetadata) return choice;
  const beside = { bucket: ref.bucket, key: metadataKey(ref.key) };
  return (await existingMetadata(context, beside, facts)) === "foreign" ? undefined : choice;
}

/** Many names of one path within a day usually mean a single document that is rewritten again and again. */
async function reportNames(
  context: ObjectContext,
  named: (number: number) => string,
  number: number,
): Promise<void> {
  const { held, deps } = context;
  const head = await headObject(context, { bucket: held.record.s3_bucket, key: named(number - 2) });
  if (head.kind !== "found" || head.object.metadata[STREAM_ID_HEADER] === undefined) return;
  const ageMs = deps.clock.wallMs() + deps.store.clockSkewMs - Date.parse(head.object.lastModified ?? "");
  if (!(ageMs < DAY_MS)) return;
  const log = [
    `${named(number)} is the ${number}th name of this path, the last three within a day: ${SAY_REPLACE}`,
  ];
  await held.update({ patch: { name_number: number }, log });
  deps.observer.namedAgain(held.record, { key: named(number), number });
}

const DAY_MS = 86_400_000;
const SAY_REPLACE = "SLUICE_ON_REPLACE=replace keeps only the newest";

/** Data and metadata key together, so that two streams never want the same name. */
async function takeKey(
  { held, deps }: Pick<ObjectContext, "held" | "deps">,
  ref: ObjectRef,
): Promise<boolean> {
  const { record } = held;
  const takeKeys = takenKeys({ s3_bucket: ref.bucket, s3_key: ref.key });
  if (record.s3_key === ref.key && held.holdsKeys(takeKeys)) return true;
  const releaseKeys = takenKeys(record).filter((key) => !takeKeys.includes(key));
  const entry = deps.completed.entry(record.original_path);
  const predecessor = entry?.stream_id === record.supersedes ? entry : undefined;
  const before = record.s3_key;
  // The inherited key stays with the recording that has it: this one is not a new generation of it.
  const parted = before !== undefined && before === predecessor?.s3_key && before !== ref.key;
  const patch = { s3_key: ref.key, s3_metadata_key: null, ...(parted ? { supersedes: null } : {}) };
  const outcome = await held.tryUpdate({ takeKeys, releaseKeys, patch });
  return outcome.kind === "written";
}

/** Takes a reopened file's key, before a new file at the name of the object takes it. */
export async function takeInheritedKey(context: Pick<ObjectContext, "held" | "deps">): Promise<void> {
  const { s3_key: key, s3_bucket: bucket } = context.held.record;
  // If refused, it looks for another name when it needs one.
  if (key !== undefined) await takeKey(context, { bucket, key });
}

/**
 * The change that takes the file's own name for a stream that has no key yet, to be made together with another change;
 * empty for a stream that has one. The name is checked in the store later, by `chooseKey` or the write itself.
 */
export function takingFirstKey({
  held,
  rules,
  deps,
}: Pick<ObjectContext, "held" | "rules" | "deps">):
  | { takeKeys: string[]; patch: { s3_key: string } }
  | undefined {
  const { record } = held;
  if (record.s3_key !== undefined) return undefined;
  const key = baseKey(record, rules, deps);
  return { takeKeys: takenKeys({ s3_bucket: record.s3_bucket, s3_key: key }), patch: { s3_key: key } };
}

export function baseKey(
  record: StreamRecord,
  rules: Pick<WatchRules, "root" | "temporaryNames">,
  deps: Pick<ProcessorDeps, "digests">,
): string {
  const below = record.original_path.slice(rules.root.length + 1);
  return objectKey(record.s3_key_prefix, rules.temporaryNames.finalOf(below), deps.digests.hash);
}

function conflict(key: string): StreamFailure {
  return new StreamFailure("object_conflict", `an object of another file or program exists at ${key}`);
}

export function objectHeaders(
  context: Pick<ObjectContext, "held" | "rules" | "deps">,
  facts: FileFacts,
): ObjectHeaders {
  const { record } = context.held;
  return {
    contentType: record.content_type ?? "application/octet-stream",
    metadata: {
      ...context.rules.metadata,
      [STREAM_ID_HEADER]: record.id,
      [FILE_HEADER]: fileToken(record.source, facts, context.deps.digests.hash),
    },
  };
}

export type OpenedUpload =
  /** `found`: an existing upload, of which S3 may have parts that the checkpoint does not know. */
  | { kind: "opened"; found: boolean }
  | Extract<KeyChoice, { kind: "same" | "copy" }>
  /** The worker's lease is not fresh: another worker may be opening it. */
  | { kind: "fenced" };

/** Leaves the stream in `processing` with an upload id: a new one, or one that a crash left without a record. */
export async function openUpload(
  context: ObjectContext,
  facts: FileFacts,
  { growing }: Pick<KeySearch, "growing">,
): Promise<OpenedUpload> {
  const { held, deps } = context;
  const intended = held.record.create_intent_at_utc !== undefined && held.record.s3_key !== undefined;
  if (!intended) {
    const of = growing && (await stillBeingCopied(context, facts));
    if (of) return { kind: "copy", of };
    const choice = await chooseKey(context, facts, {
      askFirst: true,
      withMetadata: true,
      ...(growing && { growing }),
    });
    if (choice.kind !== "key") return choice;
    // On the store's clock, because what is listed later is compared with it, however wrong ours is.
    const now = new Date(deps.clock.wallMs() + deps.store.clockSkewMs);
    const extension = await planExtension(context, choice.ref, choice.earlier, facts);
    await held.update({ patch: { create_intent_at_utc: now.toISOString(), ...extension } });
  }
  await reach(context, "create_intended");
  const { s3_bucket: bucket, s3_key: key } = held.record;
  if (key === undefined) {
    throw new StreamFailure("incomplete_metadata", "the stream has no key to open an upload at");
  }
  const ref = { bucket, key };
  // A resumed stream may have lost even the record of its intent, and an emptied Redis the stream itself.
  const lookFirst = intended || context.resumed || context.recognise;
  const found = lookFirst ? await findOwnUpload(context, ref) : undefined;
  // A stream that another worker took meanwhile has its upload already, or needs none any more.
  if (deps.lease.fresh()) await held.confirmOurs(deps.lease);
  const upload = found ?? (await createUpload(context, ref, facts));
  if (upload === FENCED) return { kind: "fenced" };
  const abortsAt = uploadAbortsAt(upload.abortsAt, deps.clock.wallMs(), deps.store.profile);
  await reach(context, "upload_created");
  await held.move("opened", {
    patch: { s3_upload_id: upload.uploadId, upload_aborts_at_utc: abortsAt ?? null },
    log: [`upload ${found === undefined ? "opened" : "found again"} at ${key}${takenOver(held)}`],
  });
  await reach(context, "upload_recorded");
  return { kind: "opened", found: found !== undefined };
}

function takenOver({ plan, record }: OwnedStream): string {
  if (plan.kind !== "copied" || record.extends === undefined) return "";
  return `, to extend the existing object: up to ${formatBytes(plan.count * plan.copiedBytes)} of it are copied inside the store`;
}

const FENCED = Symbol("the lease is not fresh");

async function createUpload(
  context: ObjectContext,
  ref: ObjectRef,
  facts: FileFacts,
): Promise<CreatedUpload | typeof FENCED> {
  const { store, deps, signal } = context;
  const headers = objectHeaders(context, facts);
  return await store.ask<CreatedUpload | typeof FENCED>(
    "CreateMultipartUpload",
    // Checked at the last moment, because the store may have been unavailable for longer than the lease.
    async () => (mayMakeObject(context) ? await deps.store.createUpload(ref, headers) : FENCED),
    signal,
    () => {
      context.creates.doubted = true;
      return findOwnUpload(context, ref);
    },
  );
}

/**
 * Finds the first free one of many names that are taken from the first on, with few requests: by doubling, then by
 * halving. Names 1 and 2 are known to be taken. If names in between were released, a free one is found, but maybe not
 * the first.
 */
export async function firstFree(isFree: (number: number) => Promise<boolean>): Promise<number> {
  let taken = 2;
  let free = 4;
  while (free < LIMITS.keyNumber && !(await isFree(free))) {
    taken = free;
    free *= 2;
  }
  while (free - taken > 1) {
    const middle = Math.floor((taken + free) / 2);
    if (await isFree(middle)) free = middle;
    else taken = middle;
  }
  return free;
}
