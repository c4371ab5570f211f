/** A file smaller than its first part goes up in one PutObject; no upload id ever. */
import { StreamFailure } from "../errors.ts";
import { sameFile, unchanged, type FileFacts } from "../stream/identity.ts";
import { crc32ToBase64 } from "../parts/crc32.ts";
import type { ObjectRef, PutOutcome, StoredObject } from "../ports/object-store.ts";
import type { Assembled } from "./complete.ts";
import { lookAtKey } from "./existing-object.ts";
import { chooseKey, objectHeaders, type OpenContext } from "./open-object.ts";

export type PutWhole = ({ kind: "assembled"; facts: FileFacts } & Assembled) | { kind: "file_moved_on" } | { kind: "fenced" };

export async function putWhole(context: OpenContext): Promise<PutWhole> {
  const { held, deps, signal } = context;
  const slot = await deps.lane.enter(held.record.id, signal);
  try {
    const read = await readWhole(context, slot.buffer);
    if (!read) return { kind: "file_moved_on" };
    return await store(context, read.bytes, read.facts);
  } finally {
    slot.release();
  }
}

async function readWhole(context: OpenContext, buffer: Uint8Array) {
  const { held, deps } = context;
  const opened = await deps.files.open(held.record.original_path);
  if (opened.kind !== "file") return undefined;
  await using file = opened.file;
  const before = await file.facts();
  if (!sameFile(held.record, before, 0).same || before.size > buffer.length) return undefined;
  const bytes = buffer.subarray(0, before.size);
  const got = await file.read(bytes, 0);
  const after = await file.facts();
  return got === before.size && unchanged(before, after) ? { bytes, facts: after } : undefined;
}

async function store(context: OpenContext, bytes: Uint8Array, facts: FileFacts): Promise<PutWhole> {
  const { held, deps, signal, rules } = context;
  const { profile } = deps.store;
  const crc = deps.digests.crc32(bytes);
  // Without a reason to expect an object of ours there, the Put's own condition asks; that saves a request.
  let askFirst = !profile.conditionalPut || held.record.supersedes !== undefined || deps.recovery.recognise;
  for (let from = 1; ; ) {
    const choice = await chooseKey(context, facts, askFirst, from);
    if (choice.kind === "same") return assembled(choice.standing.object, facts, crc);
    if (!deps.lease.fresh()) return { kind: "fenced" };
    const condition = profile.conditionalPut ? choice.condition : undefined;
    const request = { ...objectHeaders(context, facts), body: bytes, crc, condition };
    const outcome = await context.store.call<PutOutcome>(
      "PutObject",
      () => deps.store.put(choice.ref, request),
      signal,
      () => landedAllTheSame(context, choice.ref, facts),
    );
    if (outcome.kind === "stored" && outcome.verified) {
      return { kind: "assembled", facts, etag: outcome.etag, crc32: crc32ToBase64(crc), version: undefined };
    }
    // Not confirmed, or refused: HeadObject says what stands there.
    const now = await lookAtKey(context, choice.ref, facts);
    if (now.kind === "same") return assembled(now.object, facts, crc);
    if (outcome.kind === "stored") {
      throw new StreamFailure("verify_mismatch", `${choice.ref.key} does not hold what was sent`);
    }
    if (now.kind === "foreign" && rules.onConflict === "fail") {
      throw new StreamFailure("object_conflict", `an object of another file or program stands at ${choice.ref.key}`);
    }
    askFirst = true;
    if (now.kind === "foreign") from += 1;
  }
}

/** After a lost reply: whether the object is there. Otherwise it is sent again. */
async function landedAllTheSame(context: OpenContext, ref: ObjectRef, facts: FileFacts): Promise<PutOutcome | undefined> {
  const now = await lookAtKey(context, ref, facts);
  return now.kind === "same" && now.own ? { kind: "stored", etag: now.object.etag, verified: true } : undefined;
}

function assembled(object: StoredObject, facts: FileFacts, crc: number): PutWhole {
  return { kind: "assembled", facts, etag: object.etag, crc32: crc32ToBase64(crc), version: undefined };
}
