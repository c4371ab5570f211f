/**
 * Fixes the stream's key, under which no other object or stream of ours stands, and opens its upload. The intent is
 * saved before CreateMultipartUpload is sent, so that a crash in between leaves nothing unknown behind.
 */
import { StreamFailure } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { metadataKey, numberedKey, objectKey } from "../paths/object-key.ts";
import type { Condition, CreatedUpload, ObjectHeaders, ObjectRef } from "../ports/object-store.ts";
import type { FileFacts } from "../stream/identity.ts";
import type { StreamRecord } from "../stream/record.ts";
import { uploadAbortsAt } from "../stream/upload-age.ts";
import type { ProcessorDeps, WatchRules } from "./dependencies.ts";
import {
  FILE_HEADER,
  STREAM_ID_HEADER,
  conditionFor,
  fileToken,
  lookAtKey,
  type SameBytes,
  type Standing,
} from "./existing-object.ts";
import type { HeldStream } from "./held-stream.ts";
import { reach } from "./life.ts";
import { findOwnUpload } from "./own-upload.ts";
import type { PatientStore } from "./patient-store.ts";
import type { SharedFile } from "./shared-file.ts";

export interface OpenContext {
  readonly held: HeldStream;
  readonly rules: WatchRules;
  readonly store: PatientStore;
  readonly deps: ProcessorDeps;
  readonly signal: AbortSignal;
  readonly file: SharedFile;
  /** The stream was live when this process took it: what was done before it was last saved is not known. */
  readonly resumed: boolean;
  /** Uploads that have ended, as S3 said: a listing that shows one of them is not believed. */
  readonly ended: Set<string>;
  /** Taken up while Redis was found empty: S3 is asked before anything of this stream is sent, however late that is. */
  readonly recognise: boolean;
}

/** `same`: an object that holds the file's bytes is there already. */
export type KeyChoice =
  | { kind: "key"; ref: ObjectRef; condition: Condition }
  | { kind: "same"; ref: ObjectRef; standing: SameBytes };

export interface KeySearch {
  /** `false` leaves the question to the write's own condition (If-None-Match), which saves a request. */
  askFirst: boolean;
  /** Keys known to hold an object of another file or program. */
  refused?: ReadonlySet<string>;
}

/**
 * The key of the stream, fixed in Redis on return. It is taken before the store is asked: from then on no other stream of
 * ours puts an object there.
 */
export async function chooseKey(
  context: OpenContext,
  facts: FileFacts,
  search: KeySearch,
): Promise<KeyChoice> {
  const { held, rules } = context;
  for (const key of candidates(context, search.refused ?? new Set())) {
    const ref = { bucket: held.record.s3_bucket, key };
    if (!(await takeKey(held, ref))) {
      if (rules.onConflict === "fail") throw conflict(key);
      continue;
    }
    const standing: Standing | SameBytes = search.askFirst
      ? await lookAtKey(context, ref, facts)
      : { kind: "free" };
    if (standing.kind === "same") return { kind: "same", ref, standing };
    if (standing.kind === "foreign" && rules.onConflict === "fail") throw conflict(key);
    if (standing.kind === "foreign" && rules.onConflict === "keep-both") continue;
    return { kind: "key", ref, condition: conditionFor(standing, rules) };
  }
  throw conflict(baseKey(held.record, rules, context.deps));
}

/**
 * A key that is fixed already comes first: it is the predecessor's, or this stream's own from before a crash. Then the
 * file's own name and its numbered ones.
 */
function* candidates(context: OpenContext, refused: ReadonlySet<string>): Iterable<string> {
  const { held, rules, deps } = context;
  const fixed = held.record.s3_key;
  if (fixed !== undefined && !refused.has(fixed)) yield fixed;
  const base = baseKey(held.record, rules, deps);
  for (let attempt = 1; attempt <= LIMITS.keyAttempts; attempt += 1) {
    const key = numberedKey(base, attempt, deps.digests.hash);
    if (key !== fixed && !refused.has(key)) yield key;
  }
}

/** Data and metadata key together, so that no two streams ever want one name. */
async function takeKey(held: HeldStream, ref: ObjectRef): Promise<boolean> {
  const keys = bothKeys(ref);
  if (held.record.s3_key === ref.key && held.holdsKeys(keys)) return true;
  const before = held.record.s3_key;
  const releaseKeys =
    before !== undefined && before !== ref.key ? bothKeys({ bucket: ref.bucket, key: before }) : [];
  const outcome = await held.tryUpdate({ takeKeys: keys, releaseKeys, patch: { s3_key: ref.key } });
  return outcome.kind === "written";
}

function bothKeys({ bucket, key }: ObjectRef): string[] {
  return [key, metadataKey(key)].map((name) => `${bucket}/${name}`);
}

/**
 * The change that takes the file's own name for a stream that has no key yet, to go along with another change of it;
 * empty for a stream that has one. What it takes is asked of the store later, by `chooseKey` or the write itself.
 */
export function takingFirstKey({
  held,
  rules,
  deps,
}: Pick<OpenContext, "held" | "rules" | "deps">):
  | { takeKeys: string[]; patch: { s3_key: string } }
  | undefined {
  const { record } = held;
  if (record.s3_key !== undefined) return undefined;
  const key = baseKey(record, rules, deps);
  return { takeKeys: bothKeys({ bucket: record.s3_bucket, key }), patch: { s3_key: key } };
}

export function baseKey(
  record: StreamRecord,
  rules: Pick<WatchRules, "root">,
  deps: Pick<ProcessorDeps, "digests">,
): string {
  const relativePath = record.original_path.slice(rules.root.length + 1);
  return objectKey(record.s3_key_prefix, relativePath, deps.digests.hash);
}

function conflict(key: string): StreamFailure {
  return new StreamFailure("object_conflict", `an object of another file or program stands at ${key}`);
}

export function objectHeaders(
  context: Pick<OpenContext, "held" | "rules" | "deps">,
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
  /** `found`: an upload that was there already; S3 may hold parts of it that the checkpoint does not know. */
  | { kind: "opened"; found: boolean }
  | Extract<KeyChoice, { kind: "same" }>
  /** The worker's lease is not fresh: somebody else may be opening it. */
  | { kind: "fenced" };

/** Leaves the stream in `processing` with an upload id: a new one, or the one a crash left without a record. */
export async function openUpload(context: OpenContext, facts: FileFacts): Promise<OpenedUpload> {
  const { held, deps } = context;
  const intended = held.record.create_intent_at_utc !== undefined && held.record.s3_key !== undefined;
  if (!intended) {
    const choice = await chooseKey(context, facts, { askFirst: true });
    if (choice.kind === "same") return choice;
    // By the store's clock: what is listed later is compared with it, however wrong ours is then or now.
    const now = new Date(deps.clock.wallMs() + deps.store.clockSkewMs);
    await held.update({ patch: { create_intent_at_utc: now.toISOString() } });
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
  const upload = found ?? (await createUpload(context, ref, facts));
  if (upload === FENCED) return { kind: "fenced" };
  const abortsAt = uploadAbortsAt(upload.abortsAt, deps.clock.wallMs(), deps.store.profile);
  await reach(context, "upload_created");
  await held.move("opened", {
    patch: { s3_upload_id: upload.uploadId, upload_aborts_at_utc: abortsAt ?? null },
    log: [found === undefined ? `upload opened at ${key}` : `upload found again at ${key}`],
  });
  await reach(context, "upload_recorded");
  return { kind: "opened", found: found !== undefined };
}

const FENCED = Symbol("the lease is not fresh");

async function createUpload(
  context: OpenContext,
  ref: ObjectRef,
  facts: FileFacts,
): Promise<CreatedUpload | typeof FENCED> {
  const { store, deps, signal } = context;
  const headers = objectHeaders(context, facts);
  return await store.call<CreatedUpload | typeof FENCED>(
    "CreateMultipartUpload",
    // Asked at the last moment: the store may have been away for longer than the lease.
    async () => (deps.lease.fresh() ? await deps.store.createUpload(ref, headers) : FENCED),
    signal,
    () => findOwnUpload(context, ref),
  );
}
