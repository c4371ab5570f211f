/** The step of a stream whose object exists: writes its metadata object, tidies its file, and makes it history. */
import { takenKeys } from "../object/object-key.ts";
import { isoNow } from "../ports/clock.ts";
import { writeMetadata } from "../object/describe.ts";
import type { StreamContext, Step } from "./stream-context.ts";
import { abortEmptyUploads } from "../object/own-upload.ts";
import { confirmStored, tidyStep } from "./tidy.ts";
import { doneEntry } from "../stream/completed-file.ts";
import { reach, type ObjectContext } from "../object/context.ts";
import type { StreamWrite } from "../ports/checkpoint-store.ts";

export async function describeStep(stream: StreamContext): Promise<Step> {
  const { held, deps } = stream.context;
  if (held.record.completed_by === "salvage") {
    // The worker that salvaged it died before the end. Another file's entry at its path stays.
    const { superseded_by, supersedes, original_path: path } = held.record;
    const entry = deps.completed.entry(path);
    const free = entry === undefined || entry.stream_id === supersedes;
    await describeSalvaged(stream.context, free && superseded_by === undefined);
    return { kind: "ended", outcome: { kind: "completed" } };
  }
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
  await complete(stream.context, {
    tidyError: failure?.detail,
    words: failure === undefined ? "completed" : `completed; the file could not be tidied: ${failure.detail}`,
    done: true,
    remove: stream.context.rules.historyMs === 0,
    stats: { completed: 1 },
  });
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

/** Of a stream whose object was made without its file: nothing local is looked at, and nothing is tidied, ever. */
export async function describeSalvaged(context: ObjectContext, done: boolean): Promise<void> {
  await writeMetadata(context);
  await reach(context, "described");
  await complete(context, { words: "completed by a salvage: the object is partial", done, remove: false });
  await reach(context, "completed");
}

interface Completion extends Pick<StreamWrite, "stats" | "remove"> {
  tidyError?: string | undefined;
  words: string;
  /** Its entry in `files:done` is written. */
  done: boolean;
}

async function complete(context: ObjectContext, ending: Completion): Promise<void> {
  const { held, deps } = context;
  const { record } = held;
  const now = isoNow(deps.clock);
  await held.move("described", {
    patch: { completed_at_utc: now, tidy_error: ending.tidyError ?? null, waiting_for: null },
    releasePath: true,
    releaseKeys: takenKeys(record),
    ...(ending.done ? { done: doneEntry(record, now) } : {}),
    ...(ending.remove ? { remove: true } : {}),
    log: [ending.words],
    ...(ending.stats === undefined ? {} : { stats: ending.stats }),
  });
  deps.observer.moved(held.record, "completed");
}
