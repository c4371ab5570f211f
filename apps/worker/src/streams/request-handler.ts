/**
 * What the dashboard and the command line ask for. The owner of a stream acts; a stream without a living owner is taken
 * by a worker that can reach its source. Each item gets its own result, and a request asked twice acts once.
 */
import { CheckpointError, foreignBucket, type Clock, type ObjectStore } from "@sluice/core";
import {
  FEED_START,
  type ItemResult,
  type RedisClient,
  type RequestQueue,
  type RequestRecord,
  type StreamReader,
} from "@sluice/redis-schema";
import type { Retried } from "./retry.ts";
import type { Supervisor, SupervisorLog } from "./supervisor.ts";

type Json = NonNullable<ItemResult["data"]>;

export type Answer =
  | { kind: "done"; detail?: string; data?: Json }
  | { kind: "refused"; detail: string }
  /** Another worker's to answer. */
  | { kind: "elsewhere" };

export interface RequestDeps {
  queue: RequestQueue;
  /** A connection of its own: it blocks. */
  blocking: RedisClient;
  reader: StreamReader;
  supervisor: Supervisor;
  store: ObjectStore;
  clock: Clock;
  workerId: string;
  source: string;
  /** Those the worker was given; absent: any. */
  buckets?: readonly string[];
  retry(id: string): Promise<Retried>;
  /** Lifts the mark of a purged file; `path` as the operator gave it. */
  retryPath(path: string): Promise<Answer>;
  /** Actions that need more than the supervisor: on uploads in the bucket, on other sources. */
  others: Partial<Record<RequestRecord["action"], (item: string, request: RequestRecord) => Promise<Answer>>>;
  log: SupervisorLog;
}

const BLOCK_MS = 2_000;

export async function handleRequests(deps: RequestDeps, signal: AbortSignal): Promise<void> {
  let position: string = FEED_START;
  while (!signal.aborted) {
    try {
      const next = await deps.queue.next(deps.blocking, position, BLOCK_MS);
      for (const { request } of next.requests) await handle(deps, request);
      position = next.position;
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof CheckpointError)) throw error;
      // Redis is away; what was asked meanwhile is read when it is back.
      await deps.clock.sleep(1_000, signal);
    }
  }
}

async function handle(deps: RequestDeps, request: RequestRecord): Promise<void> {
  for (const item of request.items) {
    if (request.results[item]) continue;
    const answer = await answerSafely(deps, request, item);
    if (answer.kind === "elsewhere") continue;
    await deps.queue.settle(request, item, {
      result: answer.kind === "failed" ? "failed" : answer.kind,
      ...(answer.detail === undefined ? {} : { detail: answer.detail }),
      ...("data" in answer && answer.data !== undefined ? { data: answer.data } : {}),
      worker: deps.workerId,
      at_utc: new Date(deps.clock.wallMs()).toISOString(),
    });
  }
}

/** What goes wrong with one item is that item's result. */
async function answerSafely(
  deps: RequestDeps,
  request: RequestRecord,
  item: string,
): Promise<Answer | { kind: "failed"; detail: string }> {
  try {
    return await answer(deps, request, item);
  } catch (error) {
    if (error instanceof CheckpointError) throw error;
    deps.log.warn({ request_id: request.id, action: request.action, item, err: error }, "a request failed");
    return { kind: "failed", detail: error instanceof Error ? error.message : String(error) };
  }
}

async function answer(deps: RequestDeps, request: RequestRecord, item: string): Promise<Answer> {
  switch (request.action) {
    case "finalize":
      return await finalize(deps, item, request.options?.["force"] === true);
    case "abort":
      return await abort(deps, item);
    case "retry":
      return await deps.retry(item);
    case "retry_path":
      return await deps.retryPath(item);
    case "head_object":
    case "list_parts":
      return await ask(deps, request.action, item);
    case "scan_orphans":
    case "abort_uploads":
    case "verify":
    case "adopt": {
      const handler = deps.others[request.action];
      return handler ? await handler(item, request) : { kind: "elsewhere" };
    }
  }
}

async function finalize(deps: RequestDeps, id: string, force: boolean): Promise<Answer> {
  const running = deps.supervisor.running.get(id);
  if (!running) return await notHere(deps, id, "finalized");
  await running.processor.finalize(force);
  return {
    kind: "done",
    detail: "it is completed as it stands, as soon as it is quiet enough to be verified",
  };
}

async function abort(deps: RequestDeps, id: string): Promise<Answer> {
  const running = deps.supervisor.running.get(id);
  if (!running) return await notHere(deps, id, "aborted");
  running.processor.abort();
  return { kind: "done", detail: "its parts are removed from S3; its file is not touched" };
}

/** A stream that runs elsewhere is answered there; one that is no longer live is refused by whoever sees it. */
async function notHere(deps: RequestDeps, id: string, what: string): Promise<Answer> {
  const [row] = await deps.reader.rows([id]);
  if (!row) return { kind: "refused", detail: "there is no such stream" };
  if (row.kind === "failed" || row.kind === "completed")
    return { kind: "refused", detail: `a stream in ${row.status} cannot be ${what}` };
  return { kind: "elsewhere" };
}

/** HeadObject and ListParts for a page: the web process holds no S3 credentials. */
async function ask(deps: RequestDeps, action: "head_object" | "list_parts", id: string): Promise<Answer> {
  const { parsed } = await deps.reader.stream(id);
  if (parsed.kind !== "record") return { kind: "refused", detail: "there is no such stream" };
  const { s3_bucket: bucket, s3_key: key, s3_upload_id: uploadId, source } = parsed.record;
  if (source !== deps.source) return { kind: "elsewhere" };
  const foreign = foreignBucket(bucket, deps.buckets);
  if (foreign !== undefined) return { kind: "refused", detail: foreign };
  if (key === undefined) return { kind: "refused", detail: "nothing of this stream is in S3 yet" };
  if (action === "head_object") return { kind: "done", data: asJson(await deps.store.head({ bucket, key })) };
  if (uploadId === undefined) return { kind: "refused", detail: "the stream has no multipart upload" };
  return { kind: "done", data: asJson(await deps.store.listParts({ bucket, key, uploadId })) };
}

export function asJson(value: object): Json {
  return JSON.parse(JSON.stringify(value)) as Json;
}
