/** The steps of a stream whose file is complete: seal it, describe it, tidy up; and the ways back. */
import { isoNow } from "../ports/clock.ts";
import { LIMITS } from "../limits.ts";
import { crc32ToBase64 } from "../parts/crc32.ts";
import { metadataKey } from "../paths/object-key.ts";
import type { DoneEntry } from "../ports/checkpoint-store.ts";
import { factsAsFields, sameFile, type FileFacts } from "../stream/identity.ts";
import type { StreamRecord } from "../stream/record.ts";
import { RECOGNISED, tidyAtMs, tidyFile, writeMetadata } from "./describe.ts";
import { lookAtKey, type Standing } from "./existing-object.ts";
import { freshPlan, progress, reconciled } from "./grow.ts";
import { seal, type Sealed } from "./seal.ts";
import type { Life, Step } from "./stream-processor.ts";

const AGAIN: Step = { kind: "again" };

export async function sealStep(life: Life): Promise<Step> {
  const { context } = life;
  await Promise.allSettled(life.sending.values());
  const look = await context.deps.files.look(context.held.record.original_path);
  const same = look.kind === "file" ? sameFile(context.held.record, look.facts, context.held.sentEnd) : undefined;
  if (!same?.same) return await growAgain(life, "the file is not as it was when it was judged complete");
  const before = await reconciled(life, same.sure);
  if (before) return before;
  const sealed = await seal(context);
  switch (sealed.kind) {
    case "assembled":
      await assembled(life, sealed);
      return AGAIN;
    case "file_moved_on":
      return await growAgain(life, "the file changed while it was being sealed");
    case "upload_gone":
      return await uploadGone(life);
    case "fenced":
      await progress(life, { for: "store", detail: "the worker's lease is not fresh; Complete waits for it" });
      return { kind: "wait", ms: LIMITS.leaseRenewEveryMs };
  }
}

async function assembled(life: Life, sealed: Extract<Sealed, { kind: "assembled" }>): Promise<void> {
  const { held, deps, rules } = life.context;
  await held.move("assembled", {
    patch: {
      ...factsAsFields(sealed.facts),
      bytes_sent: sealed.facts.size,
      etag: sealed.etag,
      crc32: sealed.crc32 ?? null,
      verify_mode: rules.verify,
      verify_result: sealed.verifyResult,
      sealed_by: deps.worker.id,
      sealed_version: deps.worker.version,
      sealed_at_utc: isoNow(deps.clock),
      requested_action: null,
      waiting_for: null,
    },
    log: [`stored and verified: ${sealed.facts.size} bytes, ETag ${sealed.etag}`],
    ...(held.record.s3_upload_id === undefined ? { stats: { bytes_sent: sealed.facts.size } } : {}),
  });
  deps.observer.moved(held.record, sealed.verifyResult);
}

/** Growth or a change during the seal: back to `processing`, or to `opening` when there is no upload. */
async function growAgain(life: Life, why: string): Promise<Step> {
  const { held, deps } = life.context;
  // An operator's "finalize now" and the end of the worker hold for the file as it is now; signals of the file do not.
  const event = held.record.s3_upload_id === undefined ? "restarted" : "grew";
  await held.move(event, { patch: { completed_by: null, waiting_for: null }, log: [why] });
  deps.observer.moved(held.record, why);
  return AGAIN;
}

/** S3 no longer knows the upload: our own earlier Complete, or it was removed; then all bytes go again. */
export async function uploadGone(life: Life): Promise<Step> {
  const { held, deps } = life.context;
  await Promise.allSettled(life.sending.values());
  const look = await deps.files.look(held.record.original_path);
  const { s3_bucket: bucket, s3_key: key } = held.record;
  if (look.kind === "file" && key !== undefined) {
    const standing = await lookAtKey(life.context, { bucket, key }, look.facts);
    if (standing.kind === "same") return await recognised(life, look.facts, standing);
  }
  const why = "S3 no longer knows the upload: the file is sent again from byte 0";
  await held.move("restarted", {
    dropParts: true,
    patch: {
      s3_upload_id: null,
      create_intent_at_utc: null,
      next_part: 1,
      bytes_sent: 0,
      part_plan: freshPlan(life),
      completed_by: null,
    },
    log: [why],
  });
  life.reconciled = true;
  deps.observer.moved(held.record, why);
  return AGAIN;
}

/** The object at the key holds the file's bytes already: nothing is sent. */
export async function recognised(life: Life, facts: FileFacts, standing: Extract<Standing, { kind: "same" }>): Promise<Step> {
  const { held } = life.context;
  if (held.kind !== "pending_completion") {
    await held.move("settled", { patch: { completed_by: held.record.completed_by ?? "idle" }, log: ["found complete in S3"] });
  }
  await assembled(life, {
    kind: "assembled",
    facts,
    etag: standing.object.etag,
    crc32: crc32ToBase64(standing.crc),
    version: undefined,
    verifyResult: standing.own ? "identical" : RECOGNISED,
  });
  return AGAIN;
}

export async function describeStep(life: Life): Promise<Step> {
  const { held, deps, rules } = life.context;
  if (!life.described) await writeMetadata(life.context);
  life.described = true;
  const tidyAt = tidyAtMs(held.record, rules);
  const waitMs = tidyAt === undefined ? 0 : tidyAt - deps.clock.wallMs();
  if (waitMs > 0 && tidyAt !== undefined) {
    await progress(life, { for: "tidy", until: new Date(tidyAt).toISOString() });
    return { kind: "wait", ms: Math.min(waitMs, LIMITS.lookAgainMs) };
  }
  const tidied = await tidyFile(life.context);
  await complete(life, tidied.kind === "impossible" ? tidied.detail : undefined);
  return { kind: "ended", ending: { kind: "completed" } };
}

async function complete(life: Life, tidyError: string | undefined): Promise<void> {
  const { held, deps, rules } = life.context;
  const { record } = held;
  const now = isoNow(deps.clock);
  const keys = record.s3_key === undefined ? [] : [record.s3_key, metadataKey(record.s3_key)];
  await held.move("described", {
    patch: { completed_at_utc: now, tidy_error: tidyError ?? null, waiting_for: null },
    releasePath: true,
    releaseKeys: keys.map((key) => `${record.s3_bucket}/${key}`),
    done: doneEntry(record, now),
    remove: rules.historyMs === 0,
    log: [tidyError === undefined ? "completed" : `completed; the file could not be tidied: ${tidyError}`],
    stats: { completed: 1 },
  });
  deps.observer.moved(held.record, "completed");
}

/** What a rescan knows the file by. A file that was deleted or moved away is dropped from `files:done` by the next rescan. */
export function doneEntry(record: StreamRecord, now: string): DoneEntry {
  return {
    stream_id: record.id,
    file_inode: record.file_inode ?? "",
    ...(record.file_birthtime_ns === undefined ? {} : { file_birthtime_ns: record.file_birthtime_ns }),
    file_size: record.file_size,
    file_mtime_ns: record.file_mtime_ns ?? "",
    ...(record.file_ctime_ns === undefined ? {} : { file_ctime_ns: record.file_ctime_ns }),
    s3_bucket: record.s3_bucket,
    s3_key: record.s3_key ?? "",
    ...(record.etag === undefined ? {} : { etag: record.etag }),
    ...(record.crc32 === undefined ? {} : { crc32: record.crc32 }),
    completed_at_utc: now,
  };
}
