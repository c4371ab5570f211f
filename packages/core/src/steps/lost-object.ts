/** The object of a stored file is gone, or another stands there: the file is sent again by a stream of its own. */
import { StreamFailure } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { takenKeys } from "../object/object-key.ts";
import { sameFile } from "../stream/identity.ts";
import { failed } from "../stream/state.ts";
import { progress, type StreamContext, type Step } from "./stream-context.ts";
import { unreadableFile } from "../object/open-file.ts";
import { successorOf } from "./supersede.ts";
import { reach } from "../object/context.ts";

/**
 * The new stream chooses its name by the file's path, as any other: the key of a damaged record may be another file's.
 * Without the file nothing can be sent, and the stream fails with everything kept.
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
    throw new StreamFailure("verify_mismatch", `${why}, and its file is not at its path any longer`);
  }
  const successor = successorOf(stream, look.facts, { id: record.id });
  await reach(stream.context, "object_lost");
  await held.replaceBy(successor, [`sends the file of ${record.id} again: ${why}`], {
    patch: {
      status: failed("verify_mismatch"),
      failure_reason: "verify_mismatch",
      failure_detail: `${why}; the file is sent again by ${successor.id}`,
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
