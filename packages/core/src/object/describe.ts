/** What is still to be written for a stream whose object exists: its metadata object. */
import { StreamFailure } from "../errors.ts";
import { backoffMs } from "../flow/retry.ts";
import { MAX_METADATA_NUMBER, metadataKey, metadataKeyOf, takenKeys } from "./object-key.ts";
import type { Condition, ObjectRef, PutOutcome } from "../ports/object-store.ts";
import { sealedFacts } from "../stream/identity.ts";
import { OBJECT_CRC_HEADER, OBJECT_ETAG_HEADER } from "./existing-object.ts";
import { FILE_HEADER, PATH_HEADER, STREAM_ID_HEADER, fileToken, RECOGNISED } from "./object-headers.ts";
import type { OwnedStream } from "../flow/owned-stream.ts";
import { existingMetadata, pathToken, type ExistingMetadata } from "./metadata-object.ts";
import { METADATA_CONTENT_TYPE, metadataBytes } from "./metadata.ts";
import { ConditionDoubts } from "./condition-doubts.ts";
import { reach, type ObjectContext } from "./context.ts";

/**
 * Writing it twice writes the same bytes, so after an unknown outcome it is simply sent again. If another program's
 * object has its name, it takes the next one, which the record then contains: the object itself is already stored and
 * not affected.
 */
export async function writeMetadata(context: ObjectContext): Promise<void> {
  const { held } = context;
  const { s3_bucket: bucket, s3_key: key } = held.record;
  if (key === undefined) throw new StreamFailure("incomplete_metadata", "the stream has no key");
  const fixed = metadataKeyOf({ ...held.record, s3_key: key });
  if (await put(context, { bucket, key: fixed })) return;
  for (let number = 2; number <= MAX_METADATA_NUMBER; number += 1) {
    const next = { bucket, key: metadataKey(key, number) };
    if (next.key === fixed || !(await takeName(held, next))) continue;
    await reach(context, "metadata_named");
    if (await put(context, next)) return;
  }
  throw new StreamFailure(
    "object_conflict",
    `objects of other programs have every name of the metadata of ${key}`,
  );
}

/** In Redis too, so that none of our other streams writes an object there. */
async function takeName(held: OwnedStream, { bucket, key }: ObjectRef): Promise<boolean> {
  const before = takenKeys(held.record).slice(1);
  const outcome = await held.tryUpdate({
    takeKeys: [`${bucket}/${key}`],
    releaseKeys: before,
    patch: { s3_metadata_key: key },
    log: [`another program's object has the name of the metadata object, which therefore is ${key}`],
  });
  return outcome.kind === "written";
}

/** Whether the metadata of this stream's object is there afterwards; false if another program's object is. */
async function put(context: ObjectContext, ref: ObjectRef): Promise<boolean> {
  const { held, deps, store, signal } = context;
  const { record } = held;
  const before = await findExisting(context, ref);
  if (before === "foreign") return false;
  // A recognized object was described by the stream that uploaded it.
  if ((before === "own" || before === "ours") && record.verify_result === RECOGNISED) return true;
  const body = metadataBytes(record, held.parts);
  const request = {
    body,
    crc: deps.digests.crc32(body),
    contentType: METADATA_CONTENT_TYPE,
    metadata: {
      [STREAM_ID_HEADER]: record.id,
      [FILE_HEADER]: fileToken(record.source, sealedFacts(record), deps.digests.hash),
      [PATH_HEADER]: pathToken(record, deps),
      ...objectHeadersOf(context),
    },
  };
  // Contains none of the file's bytes: that a small object was accepted says nothing about parts that fail.
  const send = (condition: Condition): Promise<PutOutcome> =>
    store.ask("PutObject", () => deps.store.put(ref, { ...request, condition }), signal);
  const ifFree = (): Condition => (deps.store.profile.conditionalPut ? { ifNoneMatch: true } : undefined);
  let condition = before === "not asked" || before === "free" ? ifFree() : undefined;
  const doubts = new ConditionDoubts(context);
  for (let attempt = 1; ; attempt += 1) {
    if ((await send(condition)).kind === "stored") return true;
    const now = await existingMetadata(context, ref, sealedFacts(record));
    // Our own has the same bytes, from before a crash; that of another stream of the same file is out of date.
    if (now === "own") return true;
    if (now === "ours") await send(undefined);
    if (now !== "free") return now === "ours";
    // Refused although no object exists there: another name would be refused as well.
    await doubts.refused("PutObject", ref, condition, { kind: "missing" });
    await deps.clock.sleep(backoffMs(attempt, deps.random()), signal);
    condition = ifFree();
  }
}

/** An upload opened by an early version leaves an object without ids: its metadata object has them instead. */
function objectHeadersOf({ held: { plan, record } }: ObjectContext): Record<string, string> {
  if (plan.kind !== "listed" || record.etag === undefined) return {};
  return {
    [OBJECT_ETAG_HEADER]: record.etag,
    ...(record.crc32 === undefined ? {} : { [OBJECT_CRC_HEADER]: record.crc32 }),
  };
}

/** The Put's own condition decides if the store supports it and none of our objects is expected there. */
async function findExisting(context: ObjectContext, ref: ObjectRef): Promise<ExistingMetadata | "not asked"> {
  const { record } = context.held;
  const expected = record.supersedes !== undefined || record.verify_result === RECOGNISED;
  if (context.deps.store.profile.conditionalPut && !expected) return "not asked";
  return await existingMetadata(context, ref, sealedFacts(record));
}
