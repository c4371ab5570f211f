/**
 * Fixes the stream's key, under which no other object or stream of ours stands, and opens its upload. The intent is
 * saved before CreateMultipartUpload is sent, so that a crash in between leaves nothing unknown behind.
 */
import { StreamFailure } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { metadataKey, numberedKey, objectKey } from "../paths/object-key.ts";
import { isoNow } from "../ports/clock.ts";
import type { Condition, ObjectHeaders, ObjectRef, OpenUpload } from "../ports/object-store.ts";
import type { FileFacts } from "../stream/identity.ts";
import type { StreamRecord } from "../stream/record.ts";
import { FILE_HEADER, STREAM_ID_HEADER, conditionFor, fileToken, lookAtKey, type Standing } from "./existing-object.ts";
import type { ProcessorDeps, WatchRules } from "./dependencies.ts";
import type { HeldStream } from "./held-stream.ts";
import type { PatientStore } from "./patient-store.ts";

export interface OpenContext {
  held: HeldStream;
  rules: WatchRules;
  store: PatientStore;
  deps: ProcessorDeps;
  signal: AbortSignal;
}

/** `same`: an object that holds the file's bytes is there already. */
export type KeyChoice =
  | { kind: "key"; ref: ObjectRef; condition: Condition }
  | { kind: "same"; ref: ObjectRef; standing: Extract<Standing, { kind: "same" }> };

/** Clocks of store and worker may differ by this much before an upload on our own key is called older than the stream. */
const CLOCK_TOLERANCE_MS = 15 * 60_000;

/**
 * The key of the stream, fixed in Redis on return. `askFirst: false` leaves the question to the write's own condition
 * (If-None-Match), which saves a request where the store has it.
 */
export async function chooseKey(context: OpenContext, facts: FileFacts, askFirst: boolean, from = 1): Promise<KeyChoice> {
  const { held, rules, deps } = context;
  const record = held.record;
  // A new generation of a completed file goes under the key its predecessor has, whatever number that bears.
  const inherited = record.supersedes === undefined || from > 1 ? undefined : record.s3_key;
  const first = inherited ?? baseKey(record, rules, deps);
  for (let attempt = from; attempt <= LIMITS.keyAttempts; attempt += 1) {
    const key = numberedKey(first, attempt, deps.digests.hash);
    const ref = { bucket: record.s3_bucket, key };
    const standing: Standing = askFirst ? await lookAtKey(context, ref, facts) : { kind: "free" };
    if (standing.kind === "foreign" && rules.onConflict === "fail") throw conflict(key);
    if (standing.kind === "foreign" && rules.onConflict === "keep-both") continue;
    if (!(await takeKey(held, ref))) {
      if (rules.onConflict === "fail") throw conflict(key);
      continue;
    }
    if (standing.kind === "same") return { kind: "same", ref, standing };
    return { kind: "key", ref, condition: conditionFor(standing, rules) };
  }
  throw conflict(first);
}

/** Data and metadata key together, so that no two streams ever want one name. */
async function takeKey(held: HeldStream, ref: ObjectRef): Promise<boolean> {
  const keys = [ref.key, metadataKey(ref.key)].map((key) => `${ref.bucket}/${key}`);
  const before = held.record.s3_key;
  const releaseKeys =
    before !== undefined && before !== ref.key
      ? [before, metadataKey(before)].map((key) => `${ref.bucket}/${key}`)
      : [];
  const outcome = await held.tryUpdate({ takeKeys: keys, releaseKeys, patch: { s3_key: ref.key } });
  return outcome.kind === "written";
}

export function baseKey(record: StreamRecord, rules: WatchRules, deps: Pick<ProcessorDeps, "digests">): string {
  return objectKey(record.s3_key_prefix, record.original_path.slice(rules.root.length + 1), deps.digests.hash);
}

function conflict(key: string): StreamFailure {
  return new StreamFailure("object_conflict", `an object of another file or program stands at ${key}`);
}

export function objectHeaders(context: Pick<OpenContext, "held" | "rules" | "deps">, facts: FileFacts): ObjectHeaders {
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

export type OpenedUpload = { kind: "opened" } | Extract<KeyChoice, { kind: "same" }>;

/** Leaves the stream in `processing` with an upload id: a new one, or the one a crash left without a record. */
export async function openUpload(context: OpenContext, facts: FileFacts): Promise<OpenedUpload> {
  const { held, store, deps, signal } = context;
  const interrupted = held.record.create_intent_at_utc !== undefined && held.record.s3_key !== undefined;
  if (!interrupted) {
    const choice = await chooseKey(context, facts, true);
    if (choice.kind === "same") return choice;
    await held.update({ patch: { create_intent_at_utc: isoNow(deps.clock) } });
  }
  const { s3_bucket: bucket, s3_key: key } = held.record;
  if (key === undefined) throw new StreamFailure("incomplete_metadata", "the stream has no key to open an upload at");
  const ref = { bucket, key };
  const found = interrupted ? await findOwnUpload(context, ref) : undefined;
  const uploadId =
    found ??
    (await store.call(
      "CreateMultipartUpload",
      () => deps.store.createUpload(ref, objectHeaders(context, facts)),
      signal,
      () => findOwnUpload(context, ref),
    ));
  await held.move("opened", {
    patch: { s3_upload_id: uploadId },
    log: [found === undefined ? `upload opened at ${key}` : `upload found again at ${key}`],
  });
  return { kind: "opened" };
}

/** An open upload on a key that is ours alone, begun after this stream: a Create whose answer never reached Redis. */
async function findOwnUpload(context: OpenContext, ref: ObjectRef): Promise<string | undefined> {
  const { held, store, deps, signal } = context;
  const notBefore = Date.parse(held.record.started_at_utc) - CLOCK_TOLERANCE_MS;
  const found = await store.call(
    "ListMultipartUploads",
    async () => {
      let newest: OpenUpload | undefined;
      for await (const upload of deps.store.listUploads(ref.bucket, ref.key)) {
        if (upload.key !== ref.key || !(Date.parse(upload.initiated ?? "") >= notBefore)) continue;
        if (!newest || (newest.initiated ?? "") < (upload.initiated ?? "")) newest = upload;
      }
      return newest;
    },
    signal,
  );
  return found?.uploadId;
}
