/**
 * Streams that no index lists: an index was lost, or an operation was interrupted. The record decides where a stream
 * belongs; a stream that cannot be put back is shown as failed and may be purged.
 */
import {
  INDEXES,
  type Clock,
  type FailureReason,
  type Index,
  type StreamId,
  type WebhookEvent,
} from "@sluice/core";
import {
  failBroken,
  indexedIds,
  loadStreams,
  namedIds,
  recordIds,
  repairIndexes,
  restoreNames,
  SCAN_STEP,
  type LoadedStream,
  type SchemaContext,
  type WorkerIdentity,
} from "@sluice/redis-schema";
import { trouble } from "@sluice/control/troubles";
import type { SupervisorLog } from "../streams/supervisor.ts";

export type BrokenReason = Extract<FailureReason, "incomplete_metadata" | "corrupt_record" | "access_denied">;

export interface UnlistedDeps {
  context: SchemaContext;
  log: SupervisorLog;
}

export interface SweepDeps extends UnlistedDeps {
  identity: WorkerIdentity;
  store: { readonly webhookEvents: readonly WebhookEvent[] };
  clock: Clock;
  signal: AbortSignal;
}

/** Pause between two steps of a sweep, ms: each step reads a few hundred keys, and nothing waits for the sweep. */
const STEP_MS = 50;

/**
 * Every unfinished stream: from the two indexes of live ones, and from the index by path, which lists the same ones. If
 * they differ, they are corrected from the records.
 */
export async function listedStreams(deps: UnlistedDeps): Promise<StreamId[]> {
  const { context } = deps;
  const [active, pending, named] = await Promise.all([
    indexedIds(context, "active"),
    indexedIds(context, "pending_completion"),
    namedIds(context, "by_path"),
  ]);
  const listed = new Set([...active, ...pending]);
  const unlisted = [...named].filter((id) => !listed.has(id));
  for (const id of await putBack(deps, unlisted)) listed.add(id);
  const nameless = [...listed].filter((id) => !named.has(id));
  for await (const streams of loadStreams(context, nameless, { parts: false })) await nameAll(deps, streams);
  return [...listed];
}

/**
 * Puts these streams into the index that their record belongs to. Returns those that were not live or could not be
 * placed.
 */
async function putBack(deps: UnlistedDeps, ids: readonly StreamId[]): Promise<StreamId[]> {
  const suspects: StreamId[] = [];
  for (const outcome of await repairIndexes(deps.context, ids)) {
    switch (outcome.kind) {
      case "moved":
        noteMoved(deps, outcome);
        if (outcome.index === "active" || outcome.index === "pending_completion") suspects.push(outcome.id);
        break;
      case "unknown":
      case "foreign":
        suspects.push(outcome.id);
        break;
      case "right": // it changed since the indexes were read
      case "missing": // its name counts as free
      case "newer":
        break;
    }
  }
  return suspects;
}

function noteMoved({ log }: UnlistedDeps, { id, index }: { id: StreamId; index: Index }): void {
  log.warn(
    { stream_id: id, index, detail: id, ...trouble("record_repaired") },
    "a stream that no index listed was put back",
  );
}

/**
 * At start, before any file is checked: finds records that neither an index nor the index by path lists. Otherwise a
 * walk would open a second stream for their files.
 */
export async function findLostRecords(deps: SweepDeps): Promise<void> {
  const indexes = await Promise.all(INDEXES.map((index) => indexedIds(deps.context, index)));
  const listed = new Set(indexes.flat());
  for await (const ids of recordIds(deps.context, SCAN_STEP.atStart)) {
    const lost = ids.filter((id) => !listed.has(id));
    if (lost.length > 0) await inspect(deps, lost);
  }
}

/** Walks slowly over all records and repairs what was lost since the start, including the S3 keys of each record. */
export async function sweepRecords(deps: SweepDeps): Promise<void> {
  for await (const ids of recordIds(deps.context, SCAN_STEP.inPassing)) {
    await inspect(deps, ids);
    await deps.clock.sleep(STEP_MS, deps.signal);
    if (deps.signal.aborted) return;
  }
}

async function inspect(deps: SweepDeps, ids: readonly StreamId[]): Promise<void> {
  const odd: StreamId[] = [];
  const named: StreamId[] = [];
  for (const outcome of await repairIndexes(deps.context, ids)) {
    if (outcome.kind === "moved") noteMoved(deps, outcome);
    if (outcome.kind === "unknown" || outcome.kind === "foreign") odd.push(outcome.id);
    // A completed stream holds neither path nor key.
    if ((outcome.kind === "right" || outcome.kind === "moved") && outcome.index !== "completed")
      named.push(outcome.id);
  }
  for await (const streams of loadStreams(deps.context, odd, { parts: false })) {
    for (const stream of streams) await show(deps, stream);
  }
  for await (const streams of loadStreams(deps.context, named, { parts: false })) {
    await nameAll(deps, streams);
  }
}

async function show(deps: SweepDeps, { id, raw, parsed }: LoadedStream): Promise<void> {
  const broken = brokenness(parsed);
  if (!broken) return;
  const { context, identity, store } = deps;
  // A stream with a live owner is left to its owner.
  const outcome = await failBroken(context, identity, {
    id,
    raw,
    webhookEvents: store.webhookEvents,
    ...broken,
  });
  if (outcome.kind === "marked")
    deps.log.warn({ stream_id: id, ...broken }, "a record that no index can list is shown as failed");
}

function brokenness(parsed: LoadedStream["parsed"]): { reason: BrokenReason; detail: string } | undefined {
  if (parsed.kind === "corrupt") return { reason: "corrupt_record", detail: parsed.detail };
  if (parsed.kind === "incomplete")
    return { reason: "incomplete_metadata", detail: `missing: ${parsed.missing.join(", ")}` };
  return undefined;
}

/** Concurrently, so that a page takes one round trip. A name that another stream has stays with that one. */
async function nameAll(deps: UnlistedDeps, streams: readonly LoadedStream[]): Promise<void> {
  await Promise.all(
    streams.map(async (stream) => {
      if (stream.parsed.kind !== "record") return;
      const outcome = await restoreNames(deps.context, stream, stream.parsed.record);
      if (outcome.kind === "restored")
        deps.log.warn({ stream_id: stream.id }, "a stream was put back under its path and its keys");
    }),
  );
}
