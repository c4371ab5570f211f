/** Sends a file smaller than its first part in one PutObject, without an upload id. */
import { assert } from "../assert.ts";
import { StreamFailure } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { crc32ToBase64 } from "./crc32.ts";
import type { ObjectRef, PutOutcome, StoredObject } from "../ports/object-store.ts";
import { isoNow } from "../ports/clock.ts";
import { sameFile, unchanged, type FileFacts } from "../stream/identity.ts";
import { formatWaiting } from "../stream/waiting.ts";
import type { Assembled } from "./complete.ts";
import { ConditionDoubts } from "./condition-doubts.ts";
import { inspectKey, type SameBytes, type ExistingObject } from "./existing-object.ts";
import { headObject } from "./object-headers.ts";
import { openToRead } from "./open-file.ts";
import { chooseKey, objectHeaders } from "./open-object.ts";
import { backoffMs } from "../flow/retry.ts";
import { mayMakeObject, reach, refuseIfAborted, type ObjectContext } from "./context.ts";

export type PutWhole =
  /** `recognised`: an object with the file's bytes already existed, under another stream's id. */
  | ({ kind: "assembled"; facts: FileFacts; recognised: boolean } & Assembled)
  | { kind: "file_moved_on" }
  | { kind: "fenced" };

export async function putWhole(context: ObjectContext): Promise<PutWhole> {
  const { held, deps, signal } = context;
  const small = held.record.file_size <= deps.smallLane.bufferBytes;
  const slot = await (small ? deps.smallLane : deps.lane).enter(held.record.id, signal);
  try {
    const whole = await readWhole(context, slot.buffer);
    return whole ? await putBytes(context, whole) : { kind: "file_moved_on" };
  } finally {
    slot.release();
  }
}

interface Whole {
  bytes: Uint8Array;
  facts: FileFacts;
  crc: number;
}

async function readWhole(context: ObjectContext, buffer: Uint8Array): Promise<Whole | undefined> {
  const { held, deps } = context;
  await using file = await openToRead(held.record.original_path, deps);
  if (!file) return undefined;
  const before = file.openedFacts;
  const same = sameFile(held.record, before, { at: "its_path" });
  if (same.kind === "other" || before.size > buffer.length) return undefined;
  const bytes = buffer.subarray(0, before.size);
  const got = await file.read(bytes, 0);
  const facts = await file.facts();
  if (got < before.size || !unchanged(before, facts)) return undefined;
  return { bytes, facts, crc: deps.digests.crc32(bytes) };
}

async function putBytes(context: ObjectContext, whole: Whole): Promise<PutWhole> {
  const { held, deps, rules } = context;
  const { store } = deps;
  const { record } = held;
  // If none of our objects is expected there, the Put's own condition checks it; that saves a request.
  const mayBeThere = context.resumed && record.s3_key !== undefined;
  const expected = mayBeThere || record.supersedes !== undefined || context.recognise;
  let askFirst = !store.profile.conditionalPut || expected;
  const refused = new Set<string>();
  const doubts = new ConditionDoubts(context);
  for (let mismatches = 0, attempts = 1; ; attempts += 1) {
    const choice = await chooseKey(context, whole.facts, { askFirst, refused, withMetadata: false });
    assert(choice.kind !== "copy", "only a growing file is asked whether it is being copied back");
    if (choice.kind === "same") return there(choice.existing, whole);
    if (choice.earlier && !(await standsStill(context, whole))) return { kind: "file_moved_on" };
    const condition = store.profile.conditionalPut ? choice.condition : undefined;
    await reach(context, "put_sending");
    const outcome = await put(context, choice.ref, whole, condition);
    await reach(context, "put_in_store");
    if (outcome.kind === "fenced") return outcome;
    if (outcome.kind === "stored" && outcome.verified) return stored(outcome.etag, whole);
    // Not confirmed, or refused: HeadObject shows what exists there.
    const head = await headObject(context, choice.ref);
    if (outcome.kind === "conflict") context.landed.late = true;
    const now = await inspectKey(context, choice.ref, whole.facts, head);
    if (now.kind === "same") return there(now, whole);
    if (outcome.kind === "conflict" && (await doubts.refused("PutObject", choice.ref, condition, head)))
      await deps.clock.sleep(backoffMs(attempts, deps.random()), context.signal);
    if (outcome.kind === "stored" && isAsSent(now, outcome.etag, whole)) return stored(outcome.etag, whole);
    if (outcome.kind === "stored" && (mismatches += 1) >= LIMITS.verifyRounds) {
      throw new StreamFailure("verify_mismatch", `${choice.ref.key} differs from what was sent`);
    }
    if (now.kind === "foreign" && rules.onConflict === "fail") {
      throw new StreamFailure(
        "object_conflict",
        `an object of another file or program exists at ${choice.ref.key}`,
      );
    }
    if (now.kind === "foreign" && rules.onConflict === "keep-both") refused.add(choice.ref.key);
    askFirst = true;
  }
}

/** The bytes compared with the earlier object were read again: another file may have had the name meanwhile. */
async function standsStill({ held, deps }: ObjectContext, { facts }: Whole): Promise<boolean> {
  const look = await deps.files.look(held.record.original_path);
  return look.kind === "file" && unchanged(facts, look.facts);
}

async function put(
  context: ObjectContext,
  ref: ObjectRef,
  whole: Whole,
  condition: Parameters<ObjectContext["deps"]["store"]["put"]>[1]["condition"],
): Promise<PutOutcome | { kind: "fenced" }> {
  const { deps, store, signal } = context;
  const request = { ...objectHeaders(context, whole.facts), body: whole.bytes, crc: whole.crc, condition };
  return await store.send<PutOutcome | { kind: "fenced" }>(
    "PutObject",
    // Checked at the last moment, because the store may have been unavailable for longer than the lease.
    async () => {
      refuseIfAborted(context);
      return mayMakeObject(context) ? await deps.store.put(ref, request) : { kind: "fenced" };
    },
    signal,
    () => landedAllTheSame(context, ref, whole),
  );
}

/**
 * After a lost reply: whether the object exists. Otherwise it is sent again. Where the store has no condition on Put, the lost
 * request might still be carried out after that, over whatever the file has become by then: its deadline is waited for first.
 */
async function landedAllTheSame(
  context: ObjectContext,
  ref: ObjectRef,
  { facts, bytes }: Whole,
): Promise<PutOutcome | undefined> {
  const { deps, held, signal } = context;
  const lookUp = async (): Promise<PutOutcome | undefined> => {
    const now = await inspectKey(context, ref, facts);
    return now.kind === "same" && now.own
      ? { kind: "stored", etag: now.object.etag, verified: true }
      : undefined;
  };
  const found = await lookUp();
  if (found !== undefined || deps.store.profile.conditionalPut) return found;
  const detail = "PutObject was not answered, and may still be carried out";
  const waiting_for = formatWaiting({ for: "store", detail, since: isoNow(deps.clock) });
  await held.update({ patch: { waiting_for }, event: { type: "progress" } });
  await deps.clock.sleep(deps.bodyDeadlineMs(bytes.length), signal);
  return await lookUp();
}

/** If the store has no digest that can be computed: our id, the size, and the ETag of this very reply. */
function isAsSent(now: ExistingObject, etag: string, whole: Whole): boolean {
  if (now.kind !== "earlier" || !now.own || now.object.size !== whole.facts.size) return false;
  const comparable = now.object.crc32 !== undefined;
  return !comparable && now.object.etag === etag;
}

/** The comparison read the file again, so it may have seen other bytes than those in memory. */
function there(existing: SameBytes, whole: Whole): PutWhole {
  if (existing.crc !== whole.crc) return { kind: "file_moved_on" };
  return assembled(existing.object, whole, !existing.own);
}

function stored(etag: string, whole: Whole): PutWhole {
  return assembled({ etag }, whole, false);
}

function assembled(
  { etag }: Pick<StoredObject, "etag">,
  { facts, crc }: Whole,
  recognised: boolean,
): PutWhole {
  return { kind: "assembled", facts, etag, crc32: crc32ToBase64(crc), recognised };
}
