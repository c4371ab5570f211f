/** The first record of a stream: known, nothing in S3. */
import { choosePlan, formatPlan, type PlanChoice } from "./part-plan.ts";
import { factsAsFields, type FileFacts } from "./identity.ts";
import { SCHEMA_VERSION, patched, type StreamRecord, type VerifyMode } from "./record.ts";
import { formatWaiting, type Waiting } from "./waiting.ts";
import { streamId } from "./values.ts";

export interface NewRecord {
  id: string;
  path: string;
  source: string;
  watch: string;
  bucket: string;
  /** The watch's effective prefix; may be empty. */
  keyPrefix: string;
  contentType: string;
  verify: VerifyMode;
  plan: PlanChoice;
  owner: string;
  nowUtc: string;
  facts: FileFacts;
  /** A reopened file's earlier stream, whose key it inherits; or the generation it replaces, without a key. */
  supersedes?: { id: string; key?: string } | undefined;
  /** Over the earlier generations. */
  longestPauseMs?: number | undefined;
  /** Part of the first record, which saves a write at the first check of a small file. */
  waiting?: Waiting | undefined;
}

/** The record of a stream that begins: nothing sent, no upload, state `opening`. */
export function newRecord(from: NewRecord): StreamRecord {
  const record: StreamRecord = {
    id: streamId(from.id),
    original_path: from.path,
    source: from.source,
    watch: from.watch,
    s3_bucket: from.bucket,
    s3_key_prefix: from.keyPrefix,
    status: "opening",
    next_part: 1,
    bytes_sent: 0,
    part_plan: formatPlan(choosePlan(from.plan)),
    file_size: 0,
    started_at_utc: from.nowUtc,
    last_activity_at_utc: from.nowUtc,
    owner: from.owner,
    fence: 1,
    revision: 0,
    content_type: from.contentType,
    longest_pause_ms: from.longestPauseMs ?? 0,
    verify_mode: from.verify,
    source_state: "present",
    schema_version: SCHEMA_VERSION,
  };
  const { supersedes, waiting } = from;
  return patched(record, {
    ...factsAsFields(from.facts),
    waiting_for: waiting === undefined ? null : formatWaiting(waiting),
    supersedes: supersedes?.id ?? null,
    s3_key: supersedes?.key ?? null,
    unprotected_since_utc: foundSince(from) ?? null,
  });
}

/** Its bytes are at least as old as its last change. */
function foundSince({ facts, nowUtc }: NewRecord): string | undefined {
  if (facts.size === 0) return undefined;
  const changedMs = Number(BigInt(facts.ctimeNs) / 1_000_000n);
  return new Date(Math.min(changedMs, Date.parse(nowUtc))).toISOString();
}
