/**
 * A recording that is being copied back: our object of its path begins as the file does, and is longer. Its bytes are in S3
 * already, so nothing of it is sent until it is as long as the object (then it is that object's file), differs from it, or
 * is complete before. The object's parts are compared one after the other as the file reaches their ends, each once.
 */
import { LIMITS } from "../limits.ts";
import type { ObjectRef, StoredObject } from "../ports/object-store.ts";
import type { FileFacts } from "../stream/identity.ts";
import type { ObjectContext } from "./context.ts";
import { equalBytes, equalStart, knownRanges } from "./earlier-object.ts";
import type { CopyOf } from "./matching-bytes.ts";

/** Whether the file may be a copy of the longer object at the key. Asked once: what is no copy never becomes one. */
export async function mayBeCopyOf(
  context: ObjectContext,
  ref: ObjectRef,
  object: StoredObject,
  facts: FileFacts,
): Promise<CopyOf | undefined> {
  const { copy } = context;
  const ranges = await knownRanges(context, ref, object);
  const comparable = ranges.length > 1 && ranges.every(({ crc, md5 }) => (crc ?? md5) !== undefined);
  if (!comparable) return undefined;
  copy.of = { ref, size: object.size, ranges, equal: 0, begun: false };
  return await stillBeingCopied(context, facts);
}

/** At its full length the file is the object's, or another one: the code that chooses the key compares it whole. */
export async function stillBeingCopied(
  context: ObjectContext,
  facts: FileFacts,
): Promise<CopyOf | undefined> {
  const { copy } = context;
  if (copy.of === undefined) return undefined;
  if (facts.size >= copy.of.size || !(await isLike(context, copy.of, facts))) copy.of = undefined;
  return copy.of;
}

async function isLike(context: ObjectContext, copy: CopyOf, facts: FileFacts): Promise<boolean> {
  for (const range of copy.ranges.slice(copy.equal)) {
    if (range.offset + range.bytes > facts.size) break;
    if ((await equalBytes(context, range)) === undefined) return false;
    copy.equal += 1;
  }
  if (copy.equal > 0 || copy.begun) return true;
  const bytes = Math.min(LIMITS.copyStartBytes, facts.size);
  copy.begun = bytes > 0 && (await equalStart(context, copy.ref, bytes));
  return copy.begun;
}
