/**
 * Salvage: an object made of what S3 holds of a stream, without its file. Only when an operator asks, and only by a worker
 * that has taken the stream. Nothing is written to the record before the object exists, so that a death in between leaves
 * everything as it was, and the next one who is asked finds what came of it:
 *
 *   taken ─► parts listed and compared ─► Complete, under a condition ─► recorded as salvaged ─► described ─► completed
 *                 │                            └── a name that is taken: refused, the upload stays
 *                 └── nothing to salvage: refused
 */
import { StreamFailure } from "../errors.ts";
import { backoffMs } from "../flow/retry.ts";
import type { OwnedStream } from "../flow/owned-stream.ts";
import { PatientStore } from "../flow/patient-store.ts";
import type { ProcessorDeps, WatchRules } from "../flow/dependencies.ts";
import { completeUpload } from "../object/complete.ts";
import { ConditionDoubts } from "../object/condition-doubts.ts";
import { reach, type ObjectContext } from "../object/context.ts";
import { headObject, STREAM_ID_HEADER } from "../object/object-headers.ts";
import { takenKeys } from "../object/object-key.ts";
import { SharedFile } from "../object/open-file.ts";
import { uploadRef } from "../object/part-sender.ts";
import { salvageRun, type SalvageRun } from "../object/salvage-run.ts";
import { isoNow } from "../ports/clock.ts";
import type { StoredObject } from "../ports/object-store.ts";
import { formatBytes } from "../stream/format-bytes.ts";
import { sealedFacts } from "../stream/identity.ts";
import { isSetApart } from "../stream/set-apart.ts";
import { TemporaryNames } from "../stream/temporary-names.ts";
import { finishedPrefix } from "../stream/checkpoint.ts";
import { describeSalvaged } from "./describe.ts";

export type Salvaged =
  | { kind: "salvaged"; detail: string }
  /** Nothing was changed. */
  | { kind: "refused"; detail: string }
  /** Not now: the lease is in doubt. */
  | { kind: "pending" };

/** Times Complete is sent; then the salvage is refused, and the operator may ask again. */
export const SALVAGE_ATTEMPTS = 6;

/** `done`: whether the path's entry in `files:done` is this stream's to write. */
export async function salvageStream(
  held: OwnedStream,
  deps: ProcessorDeps,
  signal: AbortSignal,
  done: boolean,
): Promise<Salvaged> {
  const context = salvageContext(held, deps, signal);
  await reach(context, "salvaging");
  try {
    const made = held.kind === "s3_completed" ? undefined : await make(context);
    if (made !== undefined) return await leave(context, made);
    await describeSalvaged(context, done);
  } catch (error) {
    if (!(error instanceof StreamFailure)) throw error;
    return await leave(context, refused(error.message));
  }
  return { kind: "salvaged", detail: wordsOf(context) };
}

/** An object of another file or program is never replaced, whatever the rules of the watch say. */
export function salvageContext(held: OwnedStream, deps: ProcessorDeps, signal: AbortSignal): ObjectContext {
  const rules: WatchRules = {
    name: held.record.watch,
    root: "",
    idleTimeoutMs: 0,
    idleMaxMs: 0,
    ignoreOpen: false,
    verify: held.record.verify_mode,
    temporaryNames: new TemporaryNames([]),
    onConflict: "keep-both",
    onReplace: "keep-both",
    afterUpload: { kind: "keep" },
    tidyUnseen: false,
    historyMs: 1,
    plan: { kind: "stepped", partBytes: 0, expectedMaxBytes: 0, maxParts: 0 },
    metadata: {},
  };
  return {
    held,
    rules,
    store: new PatientStore(deps, held),
    deps,
    signal,
    file: new SharedFile(),
    resumed: true,
    copy: {},
    landed: { late: false },
    ended: new Set(),
    recognise: false,
    compared: new Map(),
    creates: { doubted: false },
    fileless: true,
    proof: {},
  };
}

/** Undefined: the object is made, and recorded. */
async function make(context: ObjectContext): Promise<Exclude<Salvaged, { kind: "salvaged" }> | undefined> {
  const { held, deps, store, signal } = context;
  const { s3_upload_id: uploadId, s3_key: key } = held.record;
  if (uploadId === undefined || key === undefined) return refused("nothing of it is in S3");
  const free = await takeName(context);
  if (free !== undefined) return free;
  const doubts = new ConditionDoubts(context);
  for (let attempt = 1; attempt <= SALVAGE_ATTEMPTS; attempt += 1) {
    const listing = await store.ask("ListParts", () => deps.store.listParts(uploadRef(held)), signal);
    if (listing.kind === "gone") return await landed(context);
    const run = salvageRun(listing.parts, held);
    if (run.parts.length === 0) return refused(nothingToSalvage(listing.parts.length));
    const inTheWay = await nameTaken(context, run);
    if (inTheWay !== undefined) return refused(inTheWay);
    const facts = { ...sealedFacts(held.record), size: run.bytes };
    const completed = await completeUpload(context, facts, attempt > 1, doubts, run.parts);
    switch (completed.kind) {
      case "assembled":
        return await record(context, run, completed);
      case "upload_gone":
        return await landed(context);
      case "mismatch":
        return refused(completed.detail);
      case "name_taken":
        return refused(`another object exists at ${completed.key}: the upload is kept`);
      case "fenced":
        return { kind: "pending" };
      case "repair":
      case "again":
        await deps.clock.sleep(backoffMs(attempt, deps.random()), signal);
    }
  }
  return refused("the store did not complete the upload with the parts that it lists");
}

export const refused = (detail: string) => ({ kind: "refused", detail }) as const;

function nothingToSalvage(parts: number): string {
  return parts === 0
    ? "there is nothing to salvage: its upload holds no part"
    : "there is nothing to salvage: its first part is not in S3 as it was acknowledged";
}

/** Everything is as it was: what it waited for, and the name that it took for this, are given back. */
async function leave<T>({ held }: ObjectContext, answer: T): Promise<T> {
  const { record: stream } = held;
  const named = isSetApart(stream) && held.kind === "failed";
  if (!named && (held.kind !== "failed" || stream.waiting_for === undefined)) return answer;
  await held.update({ patch: { waiting_for: null }, releaseKeys: named ? takenKeys(stream) : [] });
  return answer;
}

/** A stream that was set apart gave its name back: it takes it again, or says who has it. */
async function takeName({ held }: ObjectContext) {
  if (!isSetApart(held.record)) return undefined;
  const taken = await held.tryUpdate({ patch: {}, takeKeys: takenKeys(held.record) });
  return taken.kind === "key_taken"
    ? refused(`its name ${held.record.s3_key} is stream ${taken.by}'s now: the upload is kept`)
    : undefined;
}

/**
 * Right before Complete, which asks once more. A stream that was set apart replaces nothing, not even an earlier object of
 * its own file: another stream has its place.
 */
async function nameTaken(context: ObjectContext, run: SalvageRun): Promise<string | undefined> {
  const { held } = context;
  const { s3_bucket: bucket, s3_key: key = "", id, supersedes, superseded_by } = held.record;
  const head = await headObject(context, { bucket, key });
  if (head.kind !== "found") return undefined;
  const whose = head.object.metadata[STREAM_ID_HEADER];
  if (whose === id && head.object.size === run.bytes) return undefined;
  const kept = "the upload is kept";
  if (superseded_by !== undefined || whose === undefined || (whose !== id && whose !== supersedes))
    return `an object of ${whose === undefined ? "another program" : `stream ${whose}`} exists at ${key}: ${kept}`;
  if (head.object.size > run.bytes)
    return `the object at ${key} holds ${formatBytes(head.object.size)}, and S3 has only ${formatBytes(run.bytes)} of this stream: ${kept}`;
  return undefined;
}

/** S3 knows the upload no longer. Our own Complete, or that of the owner before, may have taken effect. */
async function landed(context: ObjectContext) {
  const { held } = context;
  const { s3_bucket: bucket, s3_key: key = "", id } = held.record;
  const head = await headObject(context, { bucket, key });
  const own =
    head.kind === "found" && head.object.metadata[STREAM_ID_HEADER] === id ? head.object : undefined;
  if (own === undefined) return refused("there is nothing to salvage: S3 no longer knows its upload");
  const parts = [...held.parts.values()].toSorted((a, b) => a.PartNumber - b.PartNumber);
  return await record(context, { ...ofSize(parts, own), leftOut: 0 }, { etag: own.etag, crc32: own.crc32 });
}

/** The parts that the object is made of, where the checkpoint knows them. */
function ofSize(parts: SalvageRun["parts"], { size }: StoredObject): Pick<SalvageRun, "parts" | "bytes"> {
  const inside = parts.filter(({ Offset, Size }) => Offset + Size <= size);
  const whole = inside.reduce((sum, part) => sum + part.Size, 0) === size;
  return { parts: whole ? inside : [], bytes: size };
}

/** The object exists: from here on the stream is one whose metadata object is to be written, and nothing else. */
async function record(
  context: ObjectContext,
  { parts, bytes }: SalvageRun,
  { etag, crc32 }: { etag: string; crc32: string | undefined },
): Promise<undefined> {
  const { held, deps } = context;
  const { file_size: seen, last_known_size: known = seen } = held.record;
  const prefix = finishedPrefix(new Map(parts.map((part) => [part.PartNumber, part])), held.plan);
  await held.move("salvaged", {
    dropParts: true,
    parts,
    patch: {
      file_size: bytes,
      last_known_size: Math.max(known, bytes),
      bytes_sent: bytes,
      next_part: prefix.nextPart,
      etag,
      crc32: crc32 ?? null,
      completed_by: "salvage",
      verify_result: "not compared with its file",
      sealed_by: deps.worker.id,
      sealed_version: deps.worker.version,
      sealed_at_utc: isoNow(deps.clock),
      failure_reason: null,
      failure_detail: null,
      failed_at_utc: null,
      set_apart: null,
      waiting_for: null,
      requested_action: null,
      upload_aborts_at_utc: null,
      unprotected_since_utc: null,
    },
    // Another file may be at its path by now.
    releasePath: true,
    log: [`salvaged: ${formatBytes(bytes)} in ${parts.length} parts, ETag ${etag}`],
  });
  await reach(context, "assembled");
  deps.observer.moved(held.record, "salvaged");
  return undefined;
}

function wordsOf({ held: { record: stream } }: ObjectContext): string {
  const { file_size: bytes, last_known_size: known = bytes, s3_key: key } = stream;
  const lost = known > bytes ? `; ${formatBytes(known - bytes)} of its last known size are not in it` : "";
  return `${key} holds the first ${formatBytes(bytes)} of the file${lost}`;
}
