/** A file that is not at its path any more: renamed, away with its volume, or gone. */
import { StreamFailure } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { temporarySuffix } from "../paths/object-key.ts";
import { landedBefore } from "./completed-before.ts";
import { AGAIN, progress, type Life, type Step } from "./life.ts";

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
      const landed = await landedBefore(life);
      if (landed) return landed;
      throw new StreamFailure(
        reason,
        "the file is not there any more, and no file of the watch is the same file",
      );
    }
  }
}

/** A rename inside the watch keeps stream and key. One that drops a temporary suffix says the file is complete. */
async function follow(life: Life, path: string): Promise<Step> {
  const { held, deps } = life.context;
  const look = await deps.files.look(path);
  if (look.kind !== "file") return { kind: "wait", ms: LIMITS.lookEveryMs };
  const before = held.record.original_path;
  const final = temporarySuffix(before) !== undefined && temporarySuffix(path) === undefined;
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
