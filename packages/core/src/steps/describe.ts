/** The step of a stream whose object exists: writes its metadata object, tidies its file, and makes it history. */
import { takenKeys } from "../object/object-key.ts";
import { isoNow } from "../ports/clock.ts";
import { writeMetadata } from "../object/describe.ts";
import type { StreamContext, Step } from "./stream-context.ts";
import { abortEmptyUploads } from "../object/own-upload.ts";
import { confirmStored, tidyStep } from "./tidy.ts";
import { doneEntry } from "../stream/completed-file.ts";
import { reach } from "../object/context.ts";

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
  const unseen = failure?.reason === "unseen";
  const outcome = {
    kind: "completed",
    ...(changed ? { changed } : {}),
    ...(unseen ? { unseen } : {}),
  } as const;
  return { kind: "ended", outcome };
}

/**
 * Runs while the key is still ours: a former owner of the stream, or a Create that was taken for lost, may have opened
 * an upload that nobody uses.
 */
async function sweepKey({ context }: StreamContext): Promise<void> {
  const { s3_bucket: bucket, s3_key: key, create_intent_at_utc, fence } = context.held.record;
  const oneCreate = fence <= 1 && !context.resumed && !context.creates.doubted;
  if (oneCreate || key === undefined || create_intent_at_utc === undefined) return;
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
