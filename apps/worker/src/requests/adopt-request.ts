/**
 * `adopt`: this worker takes over a live stream of a source that is gone, if its very file is in one of our watches.
 * Only the device may differ. Source, path and fence change in one step, so the stream never has two owners.
 */
import {
  KINDS,
  foreignBucket,
  isLive,
  kindOf,
  patched,
  sameFile,
  streamId,
  type Clock,
  type FileFacts,
  type FileSource,
  type RecordPatch,
  type StreamRecord,
} from "@sluice/core";
import {
  purgeStreams,
  type RequestRecord,
  type SchemaContext,
  type StreamReader,
  type StreamStore,
} from "@sluice/redis-schema";
import { watchOf } from "../takeover/recoverer.ts";
import type { Answer, Task } from "./request-desk.ts";
import type { Supervisor } from "../streams/supervisor.ts";
import type { Watch } from "../files/watch/watch.ts";

export interface AdoptDeps {
  context: SchemaContext;
  reader: StreamReader;
  checkpoints: StreamStore;
  isSourceAlive(source: string): Promise<boolean>;
  supervisor: Supervisor;
  files: FileSource;
  clock: Clock;
  source: string;
  buckets: readonly string[];
  watches: readonly Watch[];
  signal: AbortSignal;
}

/** How long a stream may take to end when another one replaces it. */
const GIVE_WAY_MS = 10_000;

export async function adoptRequest(task: Task, deps: AdoptDeps): Promise<Answer> {
  const { item: id } = task;
  const { request } = task.queued;
  const from = request.options?.["from"];
  if (typeof from !== "string") return refused("the request names no source");
  if (from === deps.source) return refused(`${from} is this worker's own source`);
  const { parsed } = await deps.reader.stream(id);
  if (parsed.kind !== "record") return refused("the stream does not exist, or its record cannot be read");
  const { record } = parsed;
  if (record.source === deps.source) return { kind: "done", detail: "it already belongs to this source" };
  const watch = watchOf(deps.watches, record.original_path);
  // Other workers may have access to the file too, or may be adopting it now.
  if (!watch || !(await task.turn())) return { kind: "pending" };
  const kind = kindOf(record.status);
  if (record.source !== from || kind === undefined || !isLive(kind)) {
    return refused(`it is ${record.status} and belongs to the source ${record.source}`);
  }
  const foreign = foreignBucket(record.s3_bucket, deps.buckets);
  if (foreign !== undefined) return refused(foreign);
  if (await deps.isSourceAlive(from)) return refused(`a worker of the source ${from} is alive`);
  const look = await deps.files.look(record.original_path);
  if (look.kind !== "file") return refused("its file does not exist or cannot be read");
  const sameness = sameFile(record, look.facts, { at: "its_path", sentBytes: record.bytes_sent });
  if (sameness.kind === "other") return refused("another file, or a shorter one, is at its path");
  return await take(record, watch, look.facts, request, deps);
}

async function take(
  record: StreamRecord,
  watch: Watch,
  facts: FileFacts,
  request: RequestRecord,
  deps: AdoptDeps,
): Promise<Answer> {
  using held = deps.supervisor.pool.hold([record.id]);
  if (!held.has(record.id)) return { kind: "pending" };
  const inTheWay = await clearPath(record, request, deps);
  if (inTheWay) return inTheWay;
  const [claim] = await deps.checkpoints.claimAny([streamId(record.id)]);
  if (claim?.kind === "held") return { kind: "pending" };
  if (claim?.kind !== "claimed" || claim.parsed.kind !== "record") return refused("it has changed meanwhile");
  const mine = claim.parsed.record;
  const patch: RecordPatch = {
    source: deps.source,
    watch: watch.name,
    file_device: facts.device,
    file_boot: facts.boot ?? null,
    last_activity_at_utc: new Date(deps.clock.wallMs()).toISOString(),
  };
  const words = `adopted by the source ${deps.source}; its former source was ${record.source}`;
  const outcome = await deps.checkpoints.rename(mine, mine.original_path, {
    from: KINDS.filter(isLive),
    patch,
    log: [words],
    event: { type: "state", detail: words },
  });
  if (outcome.kind !== "written") {
    await deps.checkpoints.release(mine);
    return refused("by" in outcome ? `stream ${outcome.by} has its path or its key` : outcome.detail);
  }
  const adopted = { ...patched(mine, patch), revision: mine.revision + 1 };
  const parts = await deps.checkpoints.parts(mine.id);
  deps.supervisor.pool.start({ because: "adopted", record: adopted, parts: parts.values(), watch });
  return { kind: "done", detail: words };
}

/**
 * Our own rescan has probably found the file before the adoption and opened a stream for it. The stream that has sent
 * less ends; if that is the adopted one, the operator decides.
 */
async function clearPath(
  record: StreamRecord,
  request: RequestRecord,
  { supervisor, context, clock, signal }: AdoptDeps,
): Promise<Answer | undefined> {
  const known = supervisor.table.get(record.original_path);
  const running = known?.kind === "live" ? supervisor.running.get(known.id) : undefined;
  if (!running) return undefined;
  const { id, bytes_sent, status } = running.processor.record;
  if (bytes_sent > record.bytes_sent || (status !== "opening" && status !== "processing")) {
    return refused(
      `stream ${id} of this source has sent more of the same file: abort it first, or purge this one`,
    );
  }
  await running.processor.abort();
  await Promise.race([running.ended, clock.sleep(GIVE_WAY_MS, signal)]);
  if (supervisor.running.has(id)) return refused(`stream ${id} of this source did not end in time`);
  await purgeStreams(context, [id], {
    who: request.who,
    reason: `replaced by ${record.id}, which was adopted`,
    upload: "abort",
    ignoreFile: false,
  });
  return undefined;
}

function refused(detail: string): Answer {
  return { kind: "refused", detail };
}
