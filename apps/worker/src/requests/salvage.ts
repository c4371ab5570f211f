/**
 * `salvage`: what S3 holds of a stream becomes an object, without its file. Any worker that can reach the bucket does it,
 * for a stream whose file is gone, or whose source has no living worker; it takes the stream first, so that a host that
 * comes back waits for the end.
 */
import {
  OwnedStream,
  doneEntry,
  isLive,
  kindOf,
  salvageStream,
  sourceStateOf,
  streamId,
  type ProcessorDeps,
  type StreamRecord,
} from "@sluice/core";
import {
  FilesDone,
  pathField,
  toArg,
  type SchemaContext,
  type StreamReader,
  type StreamStore,
} from "@sluice/redis-schema";
import type { Supervisor } from "../streams/supervisor.ts";
import { judgeSalvage, type Decision } from "./request-decisions.ts";
import type { Answer, Task } from "./request-desk.ts";

export interface SalvageDeps {
  context: SchemaContext;
  reader: StreamReader;
  checkpoints: StreamStore;
  processing: ProcessorDeps;
  supervisor: Supervisor;
  source: string;
  buckets: readonly string[];
  isSourceAlive(source: string): Promise<boolean>;
  /** Redis is being rebuilt from S3: what streams there are is not known yet. */
  locked(): boolean;
  signal: AbortSignal;
}

export async function salvageRequest(task: Task, deps: SalvageDeps): Promise<Answer> {
  const { item: id } = task;
  // Several workers may be at it: the claim lets one of them act.
  const decision = await judge(id, deps);
  if (decision.kind !== "act") return decision;
  return await take(id, deps);
}

async function judge(id: string, deps: SalvageDeps): Promise<Decision> {
  const [row] = await deps.reader.rows([id]);
  const source = row?.source ?? deps.source;
  return judgeSalvage({
    row,
    own: source === deps.source,
    sourceAlive: source === deps.source || (await deps.isSourceAlive(source)),
    reaches: row?.s3_bucket === undefined || deps.buckets.includes(row.s3_bucket),
    rebuilding: deps.locked(),
  });
}

async function take(id: string, deps: SalvageDeps): Promise<Answer> {
  const { checkpoints, supervisor, processing, signal } = deps;
  using place = supervisor.pool.hold([id]);
  if (!place.has(id)) return { kind: "pending" };
  const [claim] = await checkpoints.claimAny([streamId(id)]);
  if (claim?.kind !== "claimed") return { kind: "pending" };
  if (claim.parsed.kind !== "record") {
    await checkpoints.release({ id: claim.id, fence: claim.fence });
    return { kind: "refused", detail: "its record cannot be worked with: salvage its upload instead" };
  }
  const { record } = claim.parsed;
  const there = await fileThere(record, deps);
  if (there !== undefined) {
    await checkpoints.release(record);
    return { kind: "refused", detail: there };
  }
  const parts = await checkpoints.parts(record.id);
  const held = new OwnedStream(record, parts.values(), processing, signal);
  const [entry] = await new FilesDone(deps.context).get(record.source, [record.original_path]);
  const free = entry === undefined || entry.stream_id === record.supersedes;
  const done = free && record.superseded_by === undefined && (await pathIsFree(record, deps));
  // What is known of the path is that of its own source, which need not be this worker's.
  const completed = { ...processing.completed, entry: () => entry };
  const salvaged = await salvageStream(held, { ...processing, completed }, signal, done);
  if (salvaged.kind !== "salvaged") {
    await checkpoints.release(held.record);
    return salvaged;
  }
  if (record.source === deps.source) noteHere(held.record, done, supervisor);
  return { kind: "done", detail: salvaged.detail };
}

/** Looked at once more: a file that has come back is uploaded whole instead. */
async function fileThere(record: StreamRecord, { source, processing }: SalvageDeps) {
  const kind = kindOf(record.status);
  if (record.source !== source || kind === "s3_completed") return undefined;
  if (kind !== undefined && isLive(kind)) return ALIVE;
  const look = await processing.files.look(record.original_path);
  return sourceStateOf(record, look, record.bytes_sent) === "present"
    ? "its file is there: retry it"
    : undefined;
}

const ALIVE = "its worker is alive and continues with the file: nothing is lost";

/** No other stream has its path: then a file that comes back there is its own, as far as can be known. */
async function pathIsFree({ id, source, original_path: path }: StreamRecord, { reader }: SalvageDeps) {
  const [holder] = await reader.idsByPath([toArg(pathField(source, path))]);
  return holder === undefined || holder === id;
}

function noteHere(record: StreamRecord, done: boolean, { table }: Supervisor): void {
  table.clearFailed(record.original_path);
  if (done) table.setDone(record.original_path, doneEntry(record, record.completed_at_utc ?? ""));
}
