/**
 * Two files never share an object: if a stream's file was replaced, the stream ends, and the new file gets its own
 * stream.
 */
import { isoNow } from "../ports/clock.ts";
import { takenKeys } from "../object/object-key.ts";
import { type FileFacts, sameFile } from "../stream/identity.ts";
import { newRecord } from "../stream/new-record.ts";
import type { StreamRecord } from "../stream/record.ts";
import { failed } from "../stream/state.ts";
import { landedBefore } from "./completed-before.ts";
import type { SourceState } from "../stream/source-state.ts";
import type { StreamId } from "../stream/values.ts";
import type { Place } from "../flow/dependencies.ts";
import { sendingDone, type StreamContext, type Step, progress } from "./stream-context.ts";
import { abortUpload } from "../object/own-upload.ts";
import { uploadRef } from "../object/part-sender.ts";
import { reach, type ObjectContext } from "../object/context.ts";
import { ObjectLostFailure } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { unreadableFile } from "../object/open-file.ts";

/** `facts`: of the file that is now at the path, which no stream knows. */
export async function supersede(
  stream: StreamContext,
  because: "file_replaced" | "file_truncated",
  facts: FileFacts,
): Promise<Step> {
  const how = { because, what: "a new generation", source: "replaced" } as const;
  return await passOn(stream, successorOf(stream, facts), how);
}

/** `supersedes`: the stream that it replaces; by default the one that is held, if anything of it is kept. */
export function successorOf(
  stream: StreamContext,
  facts: FileFacts,
  supersedes?: { id: StreamId },
): StreamRecord {
  const { record } = stream.context.held;
  const { rules } = stream.context;
  const place: Place = {
    path: record.original_path,
    watch: record.watch,
    bucket: record.s3_bucket,
    keyPrefix: record.s3_key_prefix,
    contentType: record.content_type ?? "application/octet-stream",
    verify: rules.verify,
    plan: rules.plan,
  };
  return successorAt(stream, place, facts, supersedes);
}

/** The file moved into another watch: its bytes are sent again under that watch's key and rules. */
export async function supersedeElsewhere(stream: StreamContext, to: Place, facts: FileFacts): Promise<Step> {
  const what = `its file moved into the watch ${to.watch}`;
  // The file itself is there: its bytes go up again.
  const how = { because: "file_replaced", what, source: "present" } as const;
  return await passOn(stream, successorAt(stream, to, facts), how);
}

interface Superseding {
  because: "file_replaced" | "file_truncated";
  what: string;
  source: SourceState;
}

/** Redis may be from before its Complete, and another file came to its path since: then it is completed. */
async function passOn(stream: StreamContext, successor: StreamRecord, how: Superseding): Promise<Step> {
  const landed = await landedBefore(stream);
  if (landed) return landed;
  const { held } = stream.context;
  const { because } = how;
  const { worthless, change } = await lastWrite(stream, successor.id, how);
  await held.replaceBy(successor, [`replaces ${held.record.id}: ${because}`], {
    ...change,
    event: { type: worthless ? "removed" : "state", detail: because },
  });
  await reach(stream.context, "superseded");
  return { kind: "ended", outcome: { kind: "superseded", by: successor.id, successor } };
}

/** The file at the path already has a stream, or is completed: no stream is started for it. */
export async function giveWay(stream: StreamContext, by: StreamId): Promise<Step> {
  const landed = await landedBefore(stream);
  if (landed) return landed;
  const { held } = stream.context;
  const { change } = await lastWrite(stream, by, {
    because: "file_replaced",
    what: "its file was replaced by that of a known stream",
    source: "replaced",
  });
  await held.move("broke", change, failed("file_replaced"));
  await reach(stream.context, "superseded");
  return { kind: "ended", outcome: { kind: "superseded", by, successor: undefined } };
}

/** Without an acknowledged part there is nothing to keep: neither upload nor record. */
async function lastWrite(stream: StreamContext, by: StreamId, { because, what, source }: Superseding) {
  const { context } = stream;
  const { held } = context;
  await sendingDone(stream);
  const worthless = held.parts.size === 0 && !(await holdsParts(context));
  if (worthless) await abortUpload(context);
  await reach(context, "superseding");
  const { record } = held;
  const change = {
    patch: {
      status: failed(because),
      failure_reason: because,
      failure_detail: `superseded by ${by}`,
      failed_at_utc: isoNow(context.deps.clock),
      source_state: source,
      superseded_by: by,
      waiting_for: null,
    },
    releasePath: true,
    releaseKeys: takenKeys(record),
    remove: worthless,
    log: [`${because}: ${what}, ${by}, replaces it`],
  };
  return { worthless, change };
}

/** Includes a part whose answer or record was lost: its bytes may exist nowhere else any longer. */
export async function holdsParts({ held, store, deps, signal }: ObjectContext): Promise<boolean> {
  if (held.record.s3_upload_id === undefined) return false;
  const listing = await store.ask("ListParts", () => deps.store.listParts(uploadRef(held)), signal);
  return listing.kind === "alive" && listing.parts.length > 0;
}

function successorAt(
  stream: StreamContext,
  place: Place,
  facts: FileFacts,
  supersedes?: { id: StreamId },
): StreamRecord {
  const { held, deps } = stream.context;
  const { record } = held;
  return newRecord({
    ...place,
    id: deps.newId(),
    source: record.source,
    owner: deps.worker.id,
    nowUtc: isoNow(deps.clock),
    facts,
    supersedes: supersedes ?? (held.parts.size > 0 ? { id: record.id } : undefined),
  });
}

/**
 * The object of a stored file no longer exists, or another object is at its key: a new stream sends the file again. It
 * chooses its name by the file's path, as usual: the key in a damaged record may be another file's. If the file is
 * missing, nothing can be sent: the stream fails, and its record no longer says that it is stored.
 */
export async function sendAgain(stream: StreamContext, why: string): Promise<Step> {
  const { held, deps } = stream.context;
  const { record } = held;
  const look = await deps.files.look(record.original_path);
  if (look.kind === "unreadable") throw unreadableFile(look);
  if (look.kind === "missing") {
    const where = await deps.volume.whereabouts(record);
    if (where.kind === "offline") {
      await progress(stream, { for: "volume", detail: where.detail });
      return { kind: "wait", ms: LIMITS.lookAgainMs };
    }
  }
  if (look.kind !== "file" || sameFile(record, look.facts, { at: "its_path" }).kind === "other") {
    const detail = `${why}, and its file is no longer at its path: put the file back and retry, or purge the record`;
    // If the record was damaged, the upload may still be open: then its parts are the only copy.
    throw new ObjectLostFailure(detail, { uploadGone: !(await holdsParts(stream.context)) });
  }
  const successor = successorOf(stream, look.facts, { id: record.id });
  await reach(stream.context, "object_lost");
  await held.replaceBy(successor, [`sends the file of ${record.id} again: ${why}`], {
    patch: {
      status: failed("verify_mismatch"),
      failure_reason: "verify_mismatch",
      failure_detail: `${why}; the file is sent again by ${successor.id}`,
      failed_at_utc: isoNow(deps.clock),
      source_state: "present",
      superseded_by: successor.id,
      waiting_for: null,
    },
    releasePath: true,
    releaseKeys: takenKeys(record),
    log: [`${why}: a new generation, ${successor.id}, sends the file again`],
    event: { type: "state", detail: "verify_mismatch" },
  });
  await reach(stream.context, "superseded");
  return { kind: "ended", outcome: { kind: "superseded", by: successor.id, successor } };
}
