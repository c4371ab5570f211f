/**
 * Handles a path that does not lead to the stream's file: it was renamed, moved, replaced, deleted, or its volume is
 * missing.
 */
import { StreamFailure } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import type { Look } from "../ports/file-source.ts";
import type { StreamId } from "../stream/values.ts";
import { sameFile } from "../stream/identity.ts";
import { landedBefore } from "./completed-before.ts";
import { AGAIN, progress, sendingDone, type StreamContext, type Step } from "./stream-context.ts";
import { removeQuietly } from "./remove-quietly.ts";
import { giveWay, holdsParts, supersede, supersedeElsewhere } from "./supersede.ts";
import { reach } from "../object/context.ts";

/** Called before anything is failed or superseded. `look`: what was found at the path. */
export async function whereIsIt(stream: StreamContext, look: Look): Promise<Step> {
  const { held, deps, resumed } = stream.context;
  const where = await deps.volume.whereabouts(held.record);
  switch (where.kind) {
    case "back":
      return { kind: "wait", ms: LIMITS.lookEveryMs };
    case "offline":
      if (held.record.source_state !== "unknown") held.note({ source_state: "unknown" });
      await progress(stream, { for: "volume", detail: where.detail });
      return { kind: "wait", ms: LIMITS.lookAgainMs };
    case "renamed":
      return await follow(stream, where.path, where.displaces);
    case "moved":
      return await supersedeElsewhere(stream, where.to, where.facts);
    case "replaced":
      return await supersede(stream, "file_replaced", where.facts);
    case "overtaken":
      return await giveWay(stream, where.by);
    case "missing": {
      // Determined before the store is asked: a patient call may take longer than the first check.
      const reason = resumed && stream.history.firstLook ? "file_missing_on_resume" : "file_missing";
      const landed = await landedBefore(stream);
      if (landed) return landed;
      await sendingDone(stream);
      // No stored data is lost with it: SQLite's journals and archivers' temporary files come and go like this.
      if (held.parts.size === 0 && !(await holdsParts(stream.context))) {
        return await removeQuietly(
          stream,
          "vanished",
          "the file disappeared before any of its bytes were in S3",
        );
      }
      throw new StreamFailure(
        reason,
        look.kind === "not_a_stream"
          ? `what is at the path is not a regular file (${look.what}), and no file of the watch is the same file`
          : "the file no longer exists, and no file of the watch is the same file",
      );
    }
  }
}

/** A rename inside the watch keeps stream and key. One that removes a temporary suffix makes the file complete. */
async function follow(stream: StreamContext, path: string, displaces: StreamId | undefined): Promise<Step> {
  const { held, deps, rules } = stream.context;
  const look = await deps.files.look(path);
  const { sentEnd: sentBytes } = held;
  const same = look.kind === "file" && sameFile(held.record, look.facts, { at: "another_path", sentBytes });
  // Renamed once more: the next step checks again.
  if (look.kind !== "file" || !same || same.kind === "other") return { kind: "wait", ms: LIMITS.lookEveryMs };
  await reach(stream.context, "renaming");
  const before = held.record.original_path;
  const { temporaryNames: temporary } = rules;
  const final = temporary.suffixOf(before) !== undefined && temporary.suffixOf(path) === undefined;
  const outcome = await held.rename(path, {
    patch: final ? { completed_by: "rename", file_ctime_ns: look.facts.ctimeNs } : {},
    ...(displaces === undefined ? {} : { displaces }),
    log: [`renamed to ${path}`],
    event: { type: "log", detail: "renamed" },
  });
  if (outcome.kind === "path_taken") {
    const detail = `its file is ${path} now, where stream ${outcome.by} still is`;
    await progress(stream, { for: "operator", detail });
    return { kind: "wait", ms: LIMITS.lookAgainMs };
  }
  if (final) stream.renamedAtCtimeNs = look.facts.ctimeNs;
  // Only its bytes prove that it is the same file: they are compared before any more of it is sent.
  if (same.kind === "ask_bytes") stream.reconciled = false;
  deps.volume.followed(held.record, before);
  await reach(stream.context, "renamed");
  return AGAIN;
}
