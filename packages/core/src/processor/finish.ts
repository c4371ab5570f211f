/** The steps of a stream whose file is complete: seal it, describe it, tidy up. */
import { StreamFailure } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { takenKeys } from "../paths/object-key.ts";
import { isoNow } from "../ports/clock.ts";
import type { DoneEntry } from "../ports/checkpoint-store.ts";
import { sameFile } from "../stream/identity.ts";
import type { StreamRecord } from "../stream/record.ts";
import { timestampStepMs } from "../stream/snapshot.ts";
import { assembled } from "./assembled.ts";
import { writeMetadata } from "./describe.ts";
import { AGAIN, awaitLease, progress, reach, sendingDone, type Life, type Step } from "./life.ts";
import { unreadableFile } from "./open-file.ts";
import { abortEmptyUploads } from "./own-upload.ts";
import { seal } from "./seal.ts";
import { confirmStored, tidyStep } from "./tidy.ts";
import { abandonUpload, reconciled, startAgain, uploadGone } from "./upload-gone.ts";

export async function sealStep(life: Life): Promise<Step> {
  const { context } = life;
  const { held } = context;
  await sendingDone(life);
  const steady = await untilSteady(life);
  if (steady) return steady;
  // What goes up in one request is looked at there, when it is opened and once more when it is read.
  if (held.record.s3_upload_id === undefined) return await sealNow(life);
  const look = await context.deps.files.look(held.record.original_path);
  if (look.kind === "unreadable") throw unreadableFile(look);
  const asked = { at: "its_path", sentBytes: held.sentEnd } as const;
  const same = look.kind === "file" ? sameFile(held.record, look.facts, asked) : undefined;
  if (!same || same.kind === "other" || look.kind !== "file") {
    return await growAgain(life, "the file is not as it was when it was judged complete");
  }
  const before = await reconciled(life, look.facts, same.kind === "same");
  if (before) return before;
  if (look.facts.size === 0) {
    return await abandonUpload(life, "the file is empty now: its upload is removed");
  }
  return await sealNow(life);
}

/**
 * Right after a change a second one may bear the same times, on some file systems for two seconds. The file is read for
 * the object only when that is over, so that whatever is written from then on is seen.
 */
async function untilSteady(life: Life): Promise<Step | undefined> {
  const { context, history, requested } = life;
  const { held, deps } = context;
  if (requested.force) return undefined;
  if (history.last === undefined || timestampStepMs(history.last) > LIMITS.lookEveryMs) {
    const look = await deps.files.look(held.record.original_path);
    const changed = look.kind === "file" && history.see(look.facts, deps.clock.monotonicMs());
    if (changed) return await growAgain(life, "the file changed after it was judged complete");
  }
  if (history.last === undefined) return undefined;
  const now = deps.clock.monotonicMs();
  const leftMs = timestampStepMs(history.last) - history.steadyMs(now);
  if (leftMs <= 0) return undefined;
  const wallMs = deps.clock.wallMs();
  const since = new Date(wallMs - history.steadyMs(now)).toISOString();
  const until = new Date(wallMs + leftMs).toISOString();
  if (leftMs > LIMITS.lookEveryMs) await progress(life, { for: "idle", since, until });
  return { kind: "wait", ms: leftMs };
}

async function sealNow(life: Life): Promise<Step> {
  // Asked before everything is read, and once more right before Complete.
  const sealed = life.context.deps.lease.fresh() ? await seal(life.context) : { kind: "fenced" as const };
  switch (sealed.kind) {
    case "assembled":
      return await assembled(life, sealed);
    case "file_moved_on":
      return await growAgain(life, "the file changed while it was being sealed");
    case "upload_gone":
      return await uploadGone(life);
    case "mismatch":
      life.mismatches += 1;
      if (life.mismatches >= LIMITS.verifyRounds) throw new StreamFailure("verify_mismatch", sealed.detail);
      return await startAgain(life, `all of it is sent again: ${sealed.detail}`);
    case "fenced":
      return await awaitLease(life, "Complete");
  }
}

/** Growth or a change during the seal: back to `processing`, or to `opening` when there is no upload. */
async function growAgain(life: Life, why: string): Promise<Step> {
  const { held, deps } = life.context;
  // An operator's "finalize now" and the end of the worker hold for the file as it is now; signals of the file do not.
  const event = held.record.s3_upload_id === undefined ? "restarted" : "grew";
  await held.move(event, { patch: { completed_by: null, waiting_for: null }, log: [why] });
  deps.observer.moved(held.record, why);
  // What was asked for holds on, so a file that never rests would be read over and over.
  return life.requested.completion === undefined ? AGAIN : { kind: "wait", ms: LIMITS.lookAgainMs };
}

export async function describeStep(life: Life): Promise<Step> {
  const { held, deps } = life.context;
  if (!life.described) {
    const lost = await confirmStored(life);
    if (lost) return lost;
    await writeMetadata(life.context);
    await sweepKey(life);
  }
  life.described = true;
  await reach(life.context, "described");
  const tidied = await tidyStep(life);
  if (tidied.kind === "step") return tidied.step;
  await reach(life.context, "tidied");
  const { failure, changed } = tidied;
  await complete(life, failure?.detail);
  if (failure) deps.observer.tidyFailed(held.record, failure.reason, failure.detail);
  await reach(life.context, "completed");
  const unseen = failure?.reason === "unseen";
  const ending = {
    kind: "completed",
    ...(changed ? { changed } : {}),
    ...(unseen ? { unseen } : {}),
  } as const;
  return { kind: "ended", ending };
}

/** While the key is still ours: whoever held the stream before may have opened an upload that nobody uses. */
async function sweepKey({ context }: Life): Promise<void> {
  const { s3_bucket: bucket, s3_key: key, create_intent_at_utc, fence } = context.held.record;
  const oneOwner = fence <= 1 && !context.resumed;
  if (oneOwner || key === undefined || create_intent_at_utc === undefined) return;
  await abortEmptyUploads(context, { bucket, key });
}

async function complete(life: Life, tidyError: string | undefined): Promise<void> {
  const { held, deps, rules } = life.context;
  const { record } = held;
  const now = isoNow(deps.clock);
  await held.move("described", {
    patch: { completed_at_utc: now, tidy_error: tidyError ?? null, waiting_for: null },
    releasePath: true,
    releaseKeys: takenKeys(record),
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
    ...(record.file_device === undefined ? {} : { file_device: record.file_device }),
    ...(record.file_boot === undefined ? {} : { file_boot: record.file_boot }),
    file_size: record.file_size,
    file_mtime_ns: record.file_mtime_ns ?? "",
    ...(record.file_ctime_ns === undefined ? {} : { file_ctime_ns: record.file_ctime_ns }),
    s3_bucket: record.s3_bucket,
    s3_key: record.s3_key ?? "",
    ...(record.etag === undefined ? {} : { etag: record.etag }),
    ...(record.crc32 === undefined ? {} : { crc32: record.crc32 }),
    completed_at_utc: now,
    ...(record.longest_pause_ms > 0 ? { longest_pause_ms: record.longest_pause_ms } : {}),
  };
}
