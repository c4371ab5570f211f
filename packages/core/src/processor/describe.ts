/** What a stream whose object exists has to write yet: its metadata object. */
import { StreamFailure } from "../errors.ts";
import { metadataKey } from "../paths/object-key.ts";
import type { Condition, ObjectRef, PutOutcome } from "../ports/object-store.ts";
import type { FileFacts } from "../stream/identity.ts";
import type { StreamRecord } from "../stream/record.ts";
import {
  FILE_HEADER,
  OBJECT_CRC_HEADER,
  OBJECT_ETAG_HEADER,
  STREAM_ID_HEADER,
  fileToken,
  headObject,
} from "./existing-object.ts";
import { METADATA_CONTENT_TYPE, metadataBytes } from "./metadata.ts";
import type { OpenContext } from "./open-object.ts";

/** The file as it was proved equal to the object. */
export function sealedFacts(record: StreamRecord): FileFacts {
  return {
    size: record.file_size,
    inode: record.file_inode ?? "",
    device: record.file_device ?? "",
    ...(record.file_boot === undefined ? {} : { boot: record.file_boot }),
    mtimeNs: record.file_mtime_ns ?? "",
    ctimeNs: record.file_ctime_ns ?? "",
    ...(record.file_birthtime_ns === undefined ? {} : { birthtimeNs: record.file_birthtime_ns }),
  };
}

/** Writing it twice writes the same bytes, so an unknown outcome is simply sent again. */
export async function writeMetadata(context: OpenContext): Promise<void> {
  const { held, deps, store, signal } = context;
  const record = held.record;
  if (record.s3_key === undefined) throw new StreamFailure("incomplete_metadata", "the stream has no key");
  const ref = { bucket: record.s3_bucket, key: metadataKey(record.s3_key) };
  const before = await whatDescribesIt(context, ref);
  if (before === "foreign") throw conflict(ref);
  // An object recognised as it stood has been described by the stream that put it there.
  if ((before === "own" || before === "ours") && record.verify_result === RECOGNISED) return;
  const body = metadataBytes(record, held.parts);
  const request = {
    body,
    crc: deps.digests.crc32(body),
    contentType: METADATA_CONTENT_TYPE,
    metadata: {
      [STREAM_ID_HEADER]: record.id,
      [FILE_HEADER]: fileToken(record.source, sealedFacts(record), deps.digests.hash),
      ...objectHeadersOf(context),
    },
  };
  const put = (condition: Condition): Promise<PutOutcome> =>
    store.call("PutObject", () => deps.store.put(ref, { ...request, condition }), signal);
  const outcome = await put(before === "not asked" ? { ifNoneMatch: true } : undefined);
  if (outcome.kind === "stored") return;
  const now = await look(context, ref);
  if (now === "foreign") throw conflict(ref);
  // Our own is the same bytes, from before a crash; what another stream of the same file wrote is out of date.
  if (now !== "own") await put(undefined);
}

/** An upload that the founding phase opened leaves an object without ids: its metadata object speaks for it. */
function objectHeadersOf({ held: { plan, record } }: OpenContext): Record<string, string> {
  if (plan.kind !== "listed" || record.etag === undefined) return {};
  return {
    [OBJECT_ETAG_HEADER]: record.etag,
    ...(record.crc32 === undefined ? {} : { [OBJECT_CRC_HEADER]: record.crc32 }),
  };
}

/** `verify_result` of a stream whose object was there already, with the file's bytes. */
export const RECOGNISED = "recognised";

type Before = "not asked" | "nothing" | "own" | "ours" | "foreign";

/** The Put's own condition asks where the store has it and nothing of ours is expected there. */
async function whatDescribesIt(context: OpenContext, ref: ObjectRef): Promise<Before> {
  const { held, rules, deps } = context;
  if (rules.onConflict === "overwrite") return "nothing";
  const expected = held.record.supersedes !== undefined || held.record.verify_result === RECOGNISED;
  return deps.store.profile.conditionalPut && !expected ? "not asked" : await look(context, ref);
}

async function look(context: OpenContext, ref: ObjectRef): Promise<Exclude<Before, "not asked">> {
  const { record } = context.held;
  const head = await headObject(context, ref);
  if (head.kind !== "found") return "nothing";
  const { [STREAM_ID_HEADER]: id, [FILE_HEADER]: file } = head.object.metadata;
  const sameFile = file === fileToken(record.source, sealedFacts(record), context.deps.digests.hash);
  if (id === record.id) return "own";
  if (sameFile || (id !== undefined && id === record.supersedes)) return "ours";
  // Beside an object that was recognised, or replaced, after its file was copied back: it describes that very object.
  const inherited = record.verify_result === RECOGNISED || record.supersedes !== undefined;
  return inherited && id !== undefined && file !== undefined ? "ours" : "foreign";
}

function conflict(ref: ObjectRef): StreamFailure {
  return new StreamFailure("object_conflict", `an object of another program stands at ${ref.key}`);
}
