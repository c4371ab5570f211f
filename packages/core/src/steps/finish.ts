/** The steps of a stream whose file is complete: seal it, describe it, tidy up. */
import { StreamFailure } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { takenKeys } from "../object/object-key.ts";
import { isoNow } from "../ports/clock.ts";
import { sameFile } from "../stream/identity.ts";
import { timestampStepMs } from "../stream/snapshot.ts";
import { assembled } from "./assembled.ts";
import { writeMetadata } from "../object/describe.ts";
import { AGAIN, awaitLease, progress, sendingDone, type StreamContext, type Step } from "./stream-context.ts";
import { unreadableFile } from "../object/open-file.ts";
import { abortEmptyUploads } from "../object/own-upload.ts";
import { seal } from "./seal.ts";
import { confirmStored, tidyStep } from "./tidy.ts";
import { abandonUpload, reconciled, startAgain, uploadGone } from "./upload-gone.ts";
import { doneEntry } from "../stream/completed-file.ts";
import { reach } from "../object/context.ts";

export async function sealStep(stream: StreamContext): Promise<Step> {
  const { context } = stream;
  const { held } = context;
  await sendingDone(stream);
  const steady = await untilSteady(stream);
  if (steady) return steady;
  // What goes up in one request is looked at there, when it is opened and once more when it is read.
  if (held.record.s3_upload_id === undefined) return await sealNow(stream);
  const look = await context.deps.files.look(held.record.original_path);
  if (look.kind === "unreadable") throw unreadableFile(look);
  const asked = { at: "its_path", sentBytes: held.sentEnd } as const;
  const same = look.kind === "file" ? sameFile(held.record, look.facts, asked) : undefined;
  if (!same || same.kind === "other" || look.kind !== "file") {
    return await growAgain(stream, "the file is not as it was when it was judged complete");
  }
  const before = await reconciled(stream, look.facts, same.kind === "same");
  if (before) return before;
  if (look.facts.size === 0) {
    return await abandonUpload(stream, "the file is empty now: its upload is removed");
  }
  return await sealNow(stream);
}

/**
 * Right after a change a second one may bear the same times, on some file systems for two seconds. The file is read for
 * the object only when that is over, so that whatever is written from then on is seen.
 */
async function untilSteady(stream: StreamContext): Promise<Step | undefined> {
  const { context, history, requested } = stream;
  const { held, deps } = context;
  if (requested.force) return undefined;
  if (history.last === undefined || timestampStepMs(history.last) > LIMITS.lookEveryMs) {
    const look = await deps.files.look(held.record.original_path);
    const changed = look.kind === "file" && history.see(look.facts, deps.clock.monotonicMs());
    if (changed) return await growAgain(stream, "the file changed after it was judged complete");
  }
  if (history.last === undefined) return undefined;
  const now = deps.clock.monotonicMs();
  const leftMs = timestampStepMs(history.last) - history.steadyMs(now);
  if (leftMs <= 0) return undefined;
  const wallMs = deps.clock.wallMs();
  const since = new Date(wallMs - history.steadyMs(now)).toISOString();
  const until = new Date(wallMs + leftMs).toISOString();
  if (leftMs > LIMITS.lookEveryMs) await progress(stream, { for: "idle", since, until });
  return { kind: "wait", ms: leftMs };
}

async function sealNow(stream: StreamContext): Promise<Step> {
  // Asked before everything is read, and once more right before Complete.
  const sealed = stream.context.deps.lease.fresh() ? await seal(stream.context) : { kind: "fenced" as const };
  switch (sealed.kind) {
    case "assembled":
      return await assembled(stream, sealed);
    case "file_moved_on":
      return await growAgain(stream, "the file changed while it was being sealed");
    case "upload_gone":
      return await uploadGone(stream);
    case "mismatch":
      stream.mismatches += 1;
      if (stream.mismatches >= LIMITS.verifyRounds) throw new StreamFailure("verify_mismatch", sealed.detail);
      return await startAgain(stream, `all of it is sent again: ${sealed.detail}`);
    case "fenced":
      return await awaitLease(stream, "Complete");
  }
}

/** Growth or a change during the seal: back to `processing`, or to `opening` when there is no upload. */
async function growAgain(stream: StreamContext, why: string): Promise<Step> {
  const { held, deps } = stream.context;
  // An operator's "finalize now" and the end of the worker hold for the file as it is now; signals of the file do not.
  const event = held.record.s3_upload_id === undefined ? "restarted" : "grew";
  await held.move(event, { patch: { completed_by: null, waiting_for: null }, log: [why] });
  deps.observer.moved(held.record, why);
  // What was asked for holds on, so a file that never rests would be read over and over.
  return stream.requested.completion === undefined ? AGAIN : { kind: "wait", ms: LIMITS.lookAgainMs };
}

export async function describeStep(stream: StreamContext): Promise<Step> {
  const { held, deps } = stream.context;
  if (!stream.described) {
    const lost = await confirmStored(stream);
    if (lost) return lost;
    await writeMetadata(stream.context);
    await sweepKey(stream);
  }
  stream.described = true;
  await reach(stream.context, "described");
  const tidied = await tidyStep(stream);
  if (tidied.kind === "step") return tidied.step;
  await reach(stream.context, "tidied");
  const { failure, changed } = tidied;
  await complete(stream, failure?.detail);
  if (failure) deps.observer.tidyFailed(held.record, failure.reason, failure.detail);
  await reach(stream.context, "completed");
  return { kind: "ended", outcome: { kind: "completed", ...(changed ? { changed } : {}) } };
}

/** While the key is still ours: whoever held the stream before may have opened an upload that nobody uses. */
async function sweepKey({ context }: StreamContext): Promise<void> {
  const { s3_bucket: bucket, s3_key: key, create_intent_at_utc, fence } = context.held.record;
  const oneOwner = fence <= 1 && !context.resumed;
  if (oneOwner || key === undefined || create_intent_at_utc === undefined) return;
  await abortEmptyUploads(context, { bucket, key });
}

async function complete(stream: StreamContext, tidyError: string | undefined): Promise<void> {
  const { held, deps, rules } = stream.context;
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
