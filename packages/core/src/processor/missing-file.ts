/** A path that does not lead to the stream's file: it was renamed, moved, replaced, is away with its volume, or gone. */
import { StreamFailure } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { temporarySuffix } from "../paths/object-key.ts";
import type { Look } from "../ports/file-source.ts";
import type { StreamId } from "../stream/values.ts";
import { sameFile } from "../stream/identity.ts";
import { assembledBefore } from "./assembled.ts";
import { headObject, standingWithMetadata } from "./existing-object.ts";
import { AGAIN, progress, reach, type Life, type Step } from "./life.ts";
import { giveWay, supersede, supersedeElsewhere } from "./supersede.ts";

/** Asked before anything is failed or superseded. `look`: what was found at the path. */
export async function whereIsIt(life: Life, look: Look): Promise<Step> {
  const { held, deps, resumed } = life.context;
  const where = await deps.volume.whereabouts(held.record);
  switch (where.kind) {
    case "back":
      return { kind: "wait", ms: LIMITS.lookEveryMs };
    case "offline":
      await progress(life, { for: "volume", detail: where.detail });
      return { kind: "wait", ms: LIMITS.lookAgainMs };
    case "renamed":
      return await follow(life, where.path, where.displaces);
    case "moved":
      return await supersedeElsewhere(life, where.to, where.facts);
    case "replaced":
      return await supersede(life, "file_replaced", where.facts);
    case "overtaken":
      return await giveWay(life, where.by);
    case "missing": {
      // Taken before the store is asked: a patient call may outlast the first look.
      const reason = resumed && life.history.firstLook ? "file_missing_on_resume" : "file_missing";
      const landed = resumed ? await landedBefore(life) : undefined;
      if (landed) return landed;
      throw new StreamFailure(
        reason,
        look.kind === "not_a_stream"
          ? `what is at the path is not a regular file (${look.what}), and no file of the watch is the same file`
          : "the file no longer exists, and no file of the watch is the same file",
      );
    }
  }
}

/**
 * Redis may have lost the write that told of Complete, after which the file was tidied away: an object that bears this
 * stream's id and has the size it was sealed with is that file.
 */
async function landedBefore(life: Life): Promise<Step | undefined> {
  const { record } = life.context.held;
  const { s3_bucket: bucket, s3_key: key, file_inode: inode, file_mtime_ns: mtimeNs } = record;
  if (key === undefined || inode === undefined || mtimeNs === undefined) return undefined;
  const { file_size: size, file_device: device = "", file_ctime_ns: ctimeNs = "" } = record;
  const birth = record.file_birthtime_ns === undefined ? {} : { birthtimeNs: record.file_birthtime_ns };
  const facts = { size, inode, device, mtimeNs, ctimeNs, ...birth };
  const ref = { bucket, key };
  const standing = await standingWithMetadata(life.context, ref, await headObject(life.context, ref), facts);
  if (standing.kind !== "earlier" || !standing.own || standing.object.size !== size) return undefined;
  return await assembledBefore(life, facts, standing.object);
}

/** A rename inside the watch keeps stream and key. One that drops a temporary suffix says the file is complete. */
async function follow(life: Life, path: string, displaces: StreamId | undefined): Promise<Step> {
  const { held, deps } = life.context;
  const look = await deps.files.look(path);
  const { sentEnd: sentBytes } = held;
  const same = look.kind === "file" && sameFile(held.record, look.facts, { at: "another_path", sentBytes });
  // Renamed once more: the next step asks again.
  if (look.kind !== "file" || !same || same.kind === "other") return { kind: "wait", ms: LIMITS.lookEveryMs };
  await reach(life.context, "renaming");
  const before = held.record.original_path;
  const final = temporarySuffix(before) !== undefined && temporarySuffix(path) === undefined;
  const outcome = await held.rename(path, {
    patch: final ? { completed_by: "rename", file_ctime_ns: look.facts.ctimeNs } : {},
    ...(displaces === undefined ? {} : { displaces }),
    log: [`renamed to ${path}`],
    event: { type: "log", detail: "renamed" },
  });
  if (outcome.kind === "path_taken") {
    const detail = `its file is ${path} now, where stream ${outcome.by} still is`;
    await progress(life, { for: "operator", detail });
    return { kind: "wait", ms: LIMITS.lookAgainMs };
  }
  if (final) life.renamedAtCtimeNs = look.facts.ctimeNs;
  // Only its bytes prove that it is the same file: they are compared before any more of it is sent.
  if (same.kind === "ask_bytes") life.reconciled = false;
  deps.volume.followed(held.record, before);
  await reach(life.context, "renamed");
  return AGAIN;
}
