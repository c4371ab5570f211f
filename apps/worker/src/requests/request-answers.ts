/**
 * Answers each request. The owner of a stream acts on it; what needs no owner is done by any worker that can. Nothing
 * is claimed or written before it is clear that this worker must act; the answer follows the effect.
 */
import { displayPath, foreignBucket, type ObjectStore, type StreamRecord } from "@sluice/core";
import { pathField, type IgnoredFiles, type RequestRecord, type StreamReader } from "@sluice/redis-schema";
import {
  judgeAbort,
  judgeFinalize,
  judgeRetry,
  mayAsk,
  type Decision,
  type Facts,
} from "./request-decisions.ts";
import type { Answer, Task } from "./request-desk.ts";
import type { Retried } from "./retry.ts";
import type { Supervisor } from "../streams/supervisor.ts";
import type { Watch } from "../files/watch/watch.ts";

export interface AnswerDeps {
  reader: StreamReader;
  supervisor: Supervisor;
  store: ObjectStore;
  source: string;
  bucket: string;
  /** The buckets of this worker. */
  buckets: readonly string[];
  watches: readonly Watch[];
  isSourceAlive(source: string): Promise<boolean>;
  retry(id: string, requestId: string): Promise<Retried>;
  ignored: Pick<IgnoredFiles, "load" | "lift">;
  /** Resolves when every watch has been walked. */
  walkAll(): Promise<void>;
  /** Actions on uploads in the bucket and on other sources. */
  others: Record<
    Extract<
      RequestRecord["action"],
      "scan_orphans" | "abort_uploads" | "verify" | "download" | "adopt" | "salvage" | "salvage_upload"
    >,
    Handler
  >;
}

export type Handler = (task: Task) => Promise<Answer>;

export async function answerRequest(task: Task, deps: AnswerDeps): Promise<Answer> {
  const { action } = task.queued.request;
  switch (action) {
    case "finalize":
      return await finalize(task, deps);
    case "abort":
      return await abort(task, deps);
    case "retry":
      return await retry(task, deps);
    case "retry_path":
      return await retryPath(task, deps);
    case "head_object":
    case "list_parts":
      return await ask(task, action, deps);
    case "scan_orphans":
    case "abort_uploads":
    case "verify":
    case "download":
    case "adopt":
    case "salvage":
    case "salvage_upload":
      return await deps.others[action](task);
  }
}

async function factsOf(id: string, deps: AnswerDeps): Promise<Facts> {
  const runsHere = deps.supervisor.running.has(id);
  const [row] = await deps.reader.rows([id]);
  const source = row?.source ?? deps.source;
  const theirs = source !== deps.source && (await deps.isSourceAlive(source));
  return { row, runsHere, theirs };
}

async function finalize({ item, queued }: Task, deps: AnswerDeps): Promise<Answer> {
  const decision = judgeFinalize(await factsOf(item, deps));
  const running = deps.supervisor.running.get(item);
  if (decision.kind !== "act" || !running) return asAnswer(decision);
  await running.processor.finalize(queued.request.options?.["force"] === true);
  return {
    kind: "done",
    detail: "it is completed as it is now, as soon as it is idle long enough to be verified",
  };
}

/** The request goes into the record and is carried out from there; the answer is given when the stream has ended. */
async function abort(task: Task, deps: AnswerDeps): Promise<Answer> {
  const facts = await factsOf(task.item, deps);
  const decision = judgeAbort({ ...facts, ageMs: await task.ageMs(), source: deps.source });
  const running = deps.supervisor.running.get(task.item);
  if (decision.kind !== "act" || !running) return asAnswer(decision);
  await running.processor.abort();
  void running.ended.then(task.again);
  return { kind: "pending" };
}

async function retry(task: Task, deps: AnswerDeps): Promise<Answer> {
  const { item: id, queued } = task;
  const judge = async (): Promise<Decision> => {
    const facts = await factsOf(id, deps);
    const path = facts.row?.original_path ?? "";
    const covers = deps.watches.some(({ root }) => path.startsWith(`${displayPath(root)}/`));
    return judgeRetry(facts, { source: deps.source, covers });
  };
  const first = await judge();
  if (first.kind === "pending" || !(await task.turn())) return { kind: "pending" };
  // Checked again: the worker that held the item before may have done it.
  const decision = await judge();
  if (decision.kind !== "act") return await unlessDoneBefore(decision, queued.request.id, id, deps);
  return await deps.retry(id, queued.request.id);
}

/**
 * A file that was purged, and is therefore ignored, is uploaded again. Items: `<source>:<path>` as shown to users. One
 * source may be a prefix of another, but the path is absolute.
 */
async function retryPath(task: Task, deps: AnswerDeps): Promise<Answer> {
  const { item } = task;
  const { source, ignored, supervisor } = deps;
  if (!item.startsWith(`${source}:/`) || !(await task.turn())) return { kind: "pending" };
  const marks = await ignored.load(source);
  const path = [...marks.keys()].find((one) => displayPath(pathField(source, one)) === item);
  if (path === undefined) return { kind: "refused", detail: "this path is not ignored" };
  await ignored.lift(source, [path]);
  supervisor.table.clearIgnored(path);
  await deps.walkAll();
  return { kind: "done", detail: "the file gets a stream again if it still exists" };
}

/** For a worker that died between the retry and its answer: the timeline names the request. */
async function unlessDoneBefore(
  decision: Decision,
  requestId: string,
  id: string,
  deps: AnswerDeps,
): Promise<Answer> {
  if (decision.kind !== "refused") return asAnswer(decision);
  const { log } = await deps.reader.stream(id);
  const line = log.find(({ text }) => text.includes(requestId));
  return line === undefined ? decision : { kind: "done", detail: line.text };
}

function asAnswer(decision: Decision): Answer {
  return decision.kind === "act" ? { kind: "pending" } : decision;
}

/** HeadObject and ListParts for a dashboard page: the web process has no S3 credentials. */
async function ask(
  { item: id }: Task,
  action: "head_object" | "list_parts",
  deps: AnswerDeps,
): Promise<Answer> {
  const found = await recordToAsk(id, deps);
  if (found.kind !== "record") return found;
  const { record } = found;
  const { s3_bucket: bucket, s3_key: key, s3_upload_id: uploadId } = record;
  if (key === undefined) return { kind: "refused", detail: "the stream has no data in S3 yet" };
  if (action === "head_object") return { kind: "done", data: asJson(await deps.store.head({ bucket, key })) };
  if (uploadId === undefined) return { kind: "refused", detail: "the stream has no multipart upload" };
  return { kind: "done", data: asJson(await deps.store.listParts({ bucket, key, uploadId })) };
}

/** The record of a stream about which this worker may ask the store. */
export async function recordToAsk(
  id: string,
  deps: Pick<AnswerDeps, "reader" | "source" | "bucket" | "buckets" | "isSourceAlive">,
): Promise<{ kind: "record"; record: StreamRecord } | Extract<Answer, { kind: "refused" | "pending" }>> {
  const { parsed } = await deps.reader.stream(id);
  if (parsed.kind !== "record") return { kind: "refused", detail: "the stream does not exist" };
  const { s3_bucket: bucket, source } = parsed.record;
  const foreign = source === deps.source ? foreignBucket(bucket, deps.buckets) : undefined;
  if (foreign !== undefined) return { kind: "refused", detail: foreign };
  const alive = source !== deps.source && (await deps.isSourceAlive(source));
  return mayAsk({ source, bucket }, deps, alive) ? parsed : { kind: "pending" };
}

export function asJson(value: object): NonNullable<Extract<Answer, { kind: "done" }>["data"]> {
  return JSON.parse(JSON.stringify(value)) as NonNullable<Extract<Answer, { kind: "done" }>["data"]>;
}
