/**
 * `npm start -- --demo` only: deletes the file of a recording of the demo while it is written, as the loss of its disk
 * would, and salvages what S3 holds of it by the same plan as the button *Salvage*.
 */
import { lstat, unlink } from "node:fs/promises";
import type { Actor } from "@sluice/control/run-plan";
import { fileName, isPartial, pathOf, type StreamRow } from "@sluice/control/stream-row";
import { encodePath } from "@sluice/core/stream/raw-path";
import { TRPCError } from "@trpc/server";
import { planStreams } from "../actions/make-plan.ts";
import { planProgress } from "../actions/progress.ts";
import { runPlan } from "../actions/run-plan.ts";
import { log, type Hub } from "../hub.ts";
import type { Loss } from "./losses.ts";
import { isDemoRecording } from "./recording-names.ts";

export interface LossState extends Loss {
  /** `noticed`: its stream has failed; what S3 holds is being made an object. */
  step: "deleted" | "noticed" | "salvaged";
  /** Bytes of it that S3 holds. */
  held: number;
}

const LOOK_EVERY_MS = 250;
/** A worker notices a missing file at its next rescan. */
const NOTICED_WITHIN_MS = 60_000;

/** What became of the last one, from its record. */
export async function lossState({ losses, reader }: Hub): Promise<LossState | undefined> {
  const { last } = losses;
  if (last === undefined) return undefined;
  const [row] = await reader.rows([last.id]);
  const salvaged = row !== undefined && row.kind === "completed" && isPartial(row);
  const step = salvaged ? "salvaged" : row?.kind === "failed" ? "noticed" : "deleted";
  return { ...last, step, held: (salvaged ? row.file_size : row?.bytes_sent) ?? 0 };
}

/** `id`: of the stream on the page; undefined: of the recording of which S3 holds most. */
export async function loseDisk(hub: Hub, actor: Actor, id: string | undefined): Promise<void> {
  const rows = id === undefined ? [...hub.model.rows.values()] : await hub.reader.rows([id]);
  const [victim] = rows
    .filter((row) => row !== undefined)
    .filter(canBeLost)
    .sort((a, b) => (b.bytes_sent ?? 0) - (a.bytes_sent ?? 0));
  if (victim === undefined)
    throw refused("no recording of the demo is being written of which S3 holds something: wait a moment");
  const size = await deleteFile(hub, victim.id);
  const loss: Loss = { id: victim.id, name: fileName(pathOf(victim)), size, at: Date.now() };
  hub.losses.last = loss;
  await hub.audit.append({ ...actor, action: "lose disk", ids: [victim.id], result: "its file was deleted" });
  salvage(hub, actor, loss).catch((error: unknown) => {
    const trouble = error instanceof Error ? error.message : String(error);
    log("warn", "the lost recording was not salvaged", { stream: loss.id, trouble });
    if (hub.losses.last === loss) hub.losses.last = { ...loss, trouble };
  });
}

/** Only the demo's own recordings: whatever else is in the inbox belongs to somebody. */
function canBeLost(row: StreamRow): boolean {
  return (
    row.kind === "processing" &&
    row.s3_upload_id !== undefined &&
    (row.bytes_sent ?? 0) > 0 &&
    isDemoRecording(fileName(pathOf(row)))
  );
}

/** Resolves with its size. A file that is another one by now, or on another machine, is left alone. */
async function deleteFile(hub: Hub, id: string): Promise<number> {
  const { parsed } = await hub.reader.stream(id);
  if (parsed.kind !== "record") throw refused("its record cannot be read");
  const path = Buffer.from(encodePath(parsed.record.original_path));
  const stats = await lstat(path, { bigint: true }).catch(() => undefined);
  if (!stats?.isFile() || String(stats.ino) !== parsed.record.file_inode)
    throw refused("its file is not on this machine");
  await unlink(path);
  return Number(stats.size);
}

async function salvage(hub: Hub, actor: Actor, { id }: Loss): Promise<void> {
  const deadline = performance.now() + NOTICED_WITHIN_MS;
  const until = async (done: () => Promise<boolean>): Promise<void> => {
    while (!(await done())) {
      if (performance.now() > deadline || hub.drain.signal.aborted)
        throw new Error("the worker has not answered in time: use Salvage on the stream's page");
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  };
  await until(async () => {
    const [row] = await hub.reader.rows([id]);
    return row?.kind === "failed" && row.source_state === "missing";
  });
  const plan = await planStreams(hub, actor.who, {
    action: "salvage",
    target: { ids: [id] },
    upload: "abort",
    force: false,
  });
  await runPlan(hub, actor, plan.token, plan.typed ?? "", "the demo lost its disk");
  await until(async () => {
    const { state, results } = await planProgress(hub, plan.token);
    const [result] = results;
    if (state === "finished" && result?.result !== "done")
      throw new Error(result?.detail ?? "it was refused");
    return state === "finished";
  });
}

function refused(message: string): TRPCError {
  return new TRPCError({ code: "PRECONDITION_FAILED", message });
}
