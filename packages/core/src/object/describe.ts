/** What a stream whose object exists has to write yet: its metadata object. */
import { StreamFailure } from "../errors.ts";
import { backoffMs } from "../flow/retry.ts";
import { MAX_METADATA_NUMBER, metadataKey, metadataKeyOf, takenKeys } from "./object-key.ts";
import type { Condition, ObjectRef, PutOutcome } from "../ports/object-store.ts";
import { sealedFacts } from "../stream/identity.ts";
import { OBJECT_CRC_HEADER, OBJECT_ETAG_HEADER } from "./existing-object.ts";
import { FILE_HEADER, PATH_HEADER, STREAM_ID_HEADER, fileToken, RECOGNISED } from "./object-headers.ts";
import type { OwnedStream } from "../flow/owned-stream.ts";
import { metadataStanding, pathToken, type MetadataStanding } from "./metadata-object.ts";
import { METADATA_CONTENT_TYPE, metadataBytes } from "./metadata.ts";
import { ConditionDoubts } from "./condition-doubts.ts";
import { reach, type ObjectContext } from "./context.ts";

/**
 * Writing it twice writes the same bytes, so an unknown outcome is simply sent again. Where another's object stands at its
 * name it takes the next one, which the record names: the object itself is stored by now, and nothing of it is in question.
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
    `objects of other programs stand at every name of the metadata of ${key}`,
  );
}

/** In Redis too, so that no other stream of ours puts an object there. */
async function takeName(held: OwnedStream, { bucket, key }: ObjectRef): Promise<boolean> {
  const before = takenKeys(held.record).slice(1);
  const outcome = await held.tryUpdate({
    takeKeys: [`${bucket}/${key}`],
    releaseKeys: before,
    patch: { s3_metadata_key: key },
    log: [`another program's object stands at the name of the metadata object, which is ${key} therefore`],
  });
  return outcome.kind === "written";
}

/** Whether the metadata of this stream's object stands there then; false where another's object does. */
async function put(context: ObjectContext, ref: ObjectRef): Promise<boolean> {
  const { held, deps, store, signal } = context;
  const { record } = held;
  const before = await whatStands(context, ref);
  if (before === "foreign") return false;
  // An object recognised as it stood has been described by the stream that put it there.
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
  // None of the file's bytes: that a small object was taken says nothing of parts that fail.
  const send = (condition: Condition): Promise<PutOutcome> =>
    store.ask("PutObject", () => deps.store.put(ref, { ...request, condition }), signal);
  const ifFree = (): Condition => (deps.store.profile.conditionalPut ? { ifNoneMatch: true } : undefined);
  let condition = before === "not asked" || before === "free" ? ifFree() : undefined;
  const doubts = new ConditionDoubts(context);
  for (let attempt = 1; ; attempt += 1) {
    if ((await send(condition)).kind === "stored") return true;
    const now = await metadataStanding(context, ref, sealedFacts(record));
    // Our own is the same bytes, from before a crash; what another stream of the same file wrote is out of date.
    if (now === "own") return true;
    if (now === "ours") await send(undefined);
    if (now !== "free") return now === "ours";
    // Refused although nothing stands there: another name would be refused as well.
    await doubts.refused("PutObject", ref, condition, { kind: "missing" });
    await deps.clock.sleep(backoffMs(attempt, deps.random()), signal);
    condition = ifFree();
  }
}

/** An upload that the founding phase opened leaves an object without ids: its metadata object speaks for it. */
function objectHeadersOf({ held: { plan, record } }: ObjectContext): Record<string, string> {
  if (plan.kind !== "listed" || record.etag === undefined) return {};
  return {
    [OBJECT_ETAG_HEADER]: record.etag,
    ...(record.crc32 === undefined ? {} : { [OBJECT_CRC_HEADER]: record.crc32 }),
  };
}

/** The Put's own condition asks where the store has it and nothing of ours is expected there. */
async function whatStands(context: ObjectContext, ref: ObjectRef): Promise<MetadataStanding | "not asked"> {
  const { record } = context.held;
  const expected = record.supersedes !== undefined || record.verify_result === RECOGNISED;
  if (context.deps.store.profile.conditionalPut && !expected) return "not asked";
  return await metadataStanding(context, ref, sealedFacts(record));
}
