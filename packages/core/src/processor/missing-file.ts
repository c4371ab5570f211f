/** A file that is not at its path any more: renamed, away with its volume, or gone. */
import { StreamFailure } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { assembledBefore } from "./assembled.ts";
import { standingWithMetadata } from "./existing-object.ts";
import { headObject } from "./object-headers.ts";
import { AGAIN, progress, sendingDone, type Life, type Step } from "./life.ts";
import { removeQuietly } from "./remove-quietly.ts";

export async function whereIsIt(life: Life): Promise<Step> {
  const { held, deps, resumed } = life.context;
  const where = await deps.volume.whereabouts(held.record);
  switch (where.kind) {
    case "back":
      return { kind: "wait", ms: LIMITS.lookEveryMs };
    case "offline":
      await progress(life, { for: "volume", detail: where.detail });
      return { kind: "wait", ms: LIMITS.lookAgainMs };
    case "renamed":
      return await follow(life, where.path);
    case "missing": {
      // Taken before the store is asked: a patient call may outlast the first look.
      const reason = resumed && life.history.firstLook ? "file_missing_on_resume" : "file_missing";
      const landed = resumed ? await landedBefore(life) : undefined;
      if (landed) return landed;
      await sendingDone(life);
      // Nothing is lost with it that was ever safe: SQLite's journals and archivers' temporary files come and go like this.
      if (held.parts.size === 0) {
        return await removeQuietly(
          life,
          "vanished",
          "the file disappeared before any of its bytes were in S3",
        );
      }
      throw new StreamFailure(reason, "the file no longer exists, and no file of the watch is the same file");
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
async function follow(life: Life, path: string): Promise<Step> {
  const { held, deps, rules } = life.context;
  const look = await deps.files.look(path);
  if (look.kind !== "file") return { kind: "wait", ms: LIMITS.lookEveryMs };
  const before = held.record.original_path;
  const { temporaryNames: temporary } = rules;
  const final = temporary.suffixOf(before) !== undefined && temporary.suffixOf(path) === undefined;
  const outcome = await held.rename(path, {
    patch: final ? { completed_by: "rename", file_ctime_ns: look.facts.ctimeNs } : {},
    log: [`renamed to ${path}`],
    event: { type: "log", detail: "renamed" },
  });
  if (outcome.kind === "path_taken") {
    const detail = `its file is ${path} now, where stream ${outcome.by} still is`;
    await progress(life, { for: "operator", detail });
    return { kind: "wait", ms: LIMITS.lookAgainMs };
  }
  if (final) life.renamedAtCtimeNs = look.facts.ctimeNs;
  return AGAIN;
}
