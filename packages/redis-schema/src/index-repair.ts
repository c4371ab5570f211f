/**
 * Repairs what an early version, a lost write or a manual change left: plain sets instead of sorted ones, a stream in
 * no index, in two, or in the wrong one, an id without a record. Runs at start; a second run changes nothing.
 */
import {
  CheckpointError,
  INDEXES,
  INDEX_OF,
  SCHEMA_VERSION,
  failed,
  kindOf,
  streamId,
  type FailureReason,
  type Index,
  type SourceState,
  type StreamId,
  type WebhookEvent,
} from "@sluice/core";
import type { SchemaContext, WorkerIdentity } from "./context.ts";
import { KEPT } from "./kept.ts";
import { messageArgs } from "./outbox-message.ts";
import { FAILED_STATUSES } from "./records/stream-record.ts";
import { toFlatArgs, type RawHash } from "./records/text.ts";
import { replyName, replyText } from "./replies.ts";
import { runScript, SCRIPTS } from "./scripts.ts";
import { indexAt, indexPlace, list, logLines, statusPlaces } from "./stream-change.ts";

export type ConvertOutcome =
  | { index: Index; kind: "kept" }
  | { index: Index; kind: "converted"; ids: number }
  /** Another program uses this key: refuse to start. */
  | { index: Index; kind: "foreign"; type: string };

/** Converts plain sets to sorted sets; every id gets the present time as its score. */
export async function convertIndexes({ redis, keys, clock }: SchemaContext): Promise<ConvertOutcome[]> {
  return Promise.all(
    INDEXES.map(async (index): Promise<ConvertOutcome> => {
      const reply = await runScript(redis, SCRIPTS.convertIndex, [keys.index(index)], [clock.wallMs()]);
      const name = replyName(reply, ["kept", "converted", "foreign"]);
      if (name === "converted") return { index, kind: name, ids: Number(replyText(reply, 1)) };
      return name === "foreign" ? { index, kind: name, type: replyText(reply, 1) } : { index, kind: name };
    }),
  );
}

export type RepairOutcome = { readonly id: StreamId } & (
  | { kind: "right" | "moved"; index: Index }
  /** There is no record, or it does not say where it belongs: `failBroken` makes it visible. */
  | { kind: "missing" }
  | { kind: "unknown"; status: string }
  | { kind: "foreign"; type: string }
  | { kind: "newer" }
);

/** Puts each stream into the one index its status belongs to. Pass the ids of all indexes. */
export function repairIndexes(context: SchemaContext, ids: readonly string[]): Promise<RepairOutcome[]> {
  return Promise.all(ids.map((id) => repairOne(context, id, [])));
}

async function repairOne(
  context: SchemaContext,
  id: string,
  also: readonly string[],
): Promise<RepairOutcome> {
  const { redis, keys, clock } = context;
  // A record without a status is from an early version: it was being processed.
  const places = [...statusPlaces(), "", indexPlace(INDEX_OF.processing), ...also.flatMap(placeOf)];
  const reply = await runScript(
    redis,
    SCRIPTS.repairIndex,
    [keys.streamMeta(id), keys.indexes],
    [id, clock.wallMs(), SCHEMA_VERSION, list(places)],
  );
  const name = replyName(reply, ["right", "moved", "missing", "unknown", "foreign", "newer"]);
  const about = { id: streamId(id) };
  if (name === "foreign") return { ...about, kind: name, type: replyText(reply, 1) };
  if (name === "right" || name === "moved")
    return { ...about, kind: name, index: indexAt(Number(replyText(reply, 1))) };
  if (name !== "unknown") return { ...about, kind: name };
  const status = replyText(reply, 1);
  // A failure reason that only an early version used still counts as a failed state.
  if (also.length === 0 && kindOf(status) !== undefined) return repairOne(context, id, [status]);
  return { ...about, kind: name, status };
}

function placeOf(status: string): (string | number)[] {
  const kind = kindOf(status);
  return kind === undefined ? [] : [status, indexPlace(INDEX_OF[kind])];
}

export interface BrokenStream {
  id: string;
  /** As read: the stream is left alone if it changed since. */
  raw: RawHash;
  reason: Extract<FailureReason, "incomplete_metadata" | "corrupt_record" | "access_denied">;
  detail: string;
  /** The events that webhooks send. */
  webhookEvents?: readonly WebhookEvent[];
}

export type FailBrokenOutcome =
  | { kind: "marked" }
  | { kind: "already" }
  | { kind: "changed" }
  | { kind: "held"; by: string };

/** A record that cannot be used becomes a failed stream with all its data, so that it is visible and can be purged. */
export async function failBroken(
  context: SchemaContext,
  identity: WorkerIdentity,
  broken: BrokenStream,
  deadNonces: readonly string[] = [],
): Promise<FailBrokenOutcome> {
  const { redis, keys, clock } = context;
  const { workerId, nonce } = identity;
  const now = clock.wallMs();
  const { id, raw, reason, detail, webhookEvents = [] } = broken;
  // As stored, numbers are text, so the body contains only what can be sent as text.
  const { file_size: _, bytes_sent: __, ...texts } = raw;
  const owner = raw["owner"] ?? "";
  const before = raw["status"];
  const text = before === undefined ? detail : `${detail} (it was ${before})`;
  const fields = {
    status: failed(reason),
    failure_reason: reason,
    failure_detail: text,
    failed_at_utc: new Date(now).toISOString(),
    source_state: "unknown" as SourceState,
    last_activity_at_utc: new Date(now).toISOString(),
    // Nothing was stored, so the new record has the current shape.
    ...(Object.keys(raw).length === 0 ? { schema_version: SCHEMA_VERSION } : {}),
  };
  const reply = await runScript(
    redis,
    SCRIPTS.failBroken,
    [
      [keys.worker(workerId), keys.streamMeta(id), keys.streamLog(id)],
      keys.indexes,
      [keys.events, keys.outbox],
      owner === "" ? [] : [keys.worker(owner)],
    ],
    [
      [nonce, workerId, now, KEPT.logEntries, KEPT.events, id, indexPlace(INDEX_OF.failed)],
      list(FAILED_STATUSES),
      [owner, raw["fence"] ?? "", raw["revision"] ?? ""],
      list(deadNonces),
      list(toFlatArgs(fields)),
      logLines([text], workerId, now),
      [text, KEPT.outboxMost],
      list(
        webhookEvents.includes("failed")
          ? messageArgs("failed", { ...texts, ...fields, id: streamId(id) }, raw["revision"] ?? "", now)
          : [],
      ),
    ],
  );
  const name = replyName(reply, ["marked", "already", "changed", "held", "lapsed", "lost"]);
  switch (name) {
    case "held":
      return { kind: name, by: replyText(reply, 1) };
    case "lapsed":
    case "lost":
      throw new CheckpointError(`the lease of ${workerId} is no longer held by this process (${name})`);
    case "marked":
    case "already":
    case "changed":
      return { kind: name };
  }
}
