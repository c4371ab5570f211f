/**
 * Sample streams such as a day of recording leaves, generated from numbers: the same number always gives the same
 * stream.
 */
import {
  FAILURE_REASONS,
  failed,
  formatWaiting,
  sourceStateOfFailed,
  streamId,
  type Part,
  type StreamRecord,
} from "@sluice/core";
import { MIB, formatPlan, partBytes, partOffset } from "@sluice/core/stream/part-plan";

const PLAN = { kind: "stepped", partBytes: 8 * MIB } as const;
export const WATCHES = ["camera-east", "camera-west", "captures"] as const;
const NAMES = ["studio", "gate", "yard", "roof", "lab", "hall"] as const;

export interface Sample {
  record: StreamRecord;
  /** The state it ends in; a failed stream keeps what it had. */
  status: StreamRecord["status"];
  parts: Part[];
  log: string[];
}

/** `calm`: a day almost without failures, for screenshots. */
export type Mood = "mixed" | "failed" | "calm";

/** Every seventh stream fails, or hardly any, or all; some are pending, some grow, most are complete. */
export function sample(n: number, mood: Mood = "mixed"): Sample {
  const fails = { mixed: n % 7 === 3, failed: true, calm: n % 77 === 10 }[mood];
  const kind = fails
    ? "failed"
    : n % 10 === 0
      ? "processing"
      : n % 23 === 1
        ? "pending_completion"
        : "completed";
  const partCount = kind === "completed" && n % 3 === 0 ? 0 : 1 + (n % 5);
  const startedAt = Date.now() - (n + 1) * 61_000;
  const watch = WATCHES[n % WATCHES.length] ?? WATCHES[0];
  const name = NAMES[n % NAMES.length] ?? NAMES[0];
  const stamp = new Date(startedAt).toISOString().slice(0, 19).replace(/[-:]/g, "").replace("T", "-");
  const relative = `${name}/${stamp}-${String(n).padStart(6, "0")}.mkv`;
  const parts = partsOf(partCount, n);
  const sent = parts.reduce((sum, part) => sum + part.Size, 0);
  const tail = kind === "completed" ? 0 : (n * 977_531) % (6 * MIB);
  const fileSize = partCount === 0 ? 1 + ((n * 48_271) % (3 * MIB)) : sent + tail;
  const reason = FAILURE_REASONS[n % FAILURE_REASONS.length] ?? "file_missing";
  const base = record(n, startedAt, watch, relative, parts, fileSize);
  if (mood === "calm" && kind !== "completed" && kind !== "failed")
    base.last_activity_at_utc = new Date(Date.now() - 2_000 - n * 10).toISOString();
  if (kind === "failed") {
    const failedRecord: StreamRecord = {
      ...base,
      failure_reason: reason,
      failure_detail: `${relative}: ${reason.replaceAll("_", " ")}`,
      failed_at_utc: base.last_activity_at_utc,
    };
    const gone = sourceStateOfFailed({ failure_reason: reason });
    // Of a file that did not fail for being gone, a worker's walk says that it is there.
    failedRecord.source_state = gone === "unknown" ? "present" : gone;
    if (reason === "file_replaced" || reason === "file_truncated")
      failedRecord.superseded_by = ulid(startedAt + 1, n);
    return { record: failedRecord, status: failed(reason), parts, log: [`failed: ${reason}`] };
  }
  if (kind === "completed") {
    const done: StreamRecord = {
      ...base,
      completed_at_utc: new Date(startedAt + 60_000).toISOString(),
      completed_by: "idle",
      etag: `${hex(n, 32)}-${Math.max(1, parts.length)}`,
      crc32: "AAAAAA==",
      verify_result: "identical",
      sealed_by: "recorder-01-9464",
      sealed_at_utc: new Date(startedAt + 59_000).toISOString(),
    };
    return {
      record: done,
      status: "completed",
      parts,
      log: ["quiet for 30 s: judged complete", "verified: identical", "completed"],
    };
  }
  const waiting = formatWaiting({ for: "writer", pid: 4_000 + n, command: "ffmpeg" });
  return {
    record: kind === "processing" ? { ...base, waiting_for: waiting } : base,
    status: kind,
    parts,
    log: ["upload created", `${parts.length} parts acknowledged`],
  };
}

export function large(count: number): Sample {
  const startedAt = Date.now() - 6 * 3_600_000;
  const acknowledged = Math.max(0, count - 40);
  const name = count === 10_000 ? "long-capture" : "antenna-7";
  const parts = partsOf(acknowledged, 7);
  const fileSize = partOffset(PLAN, Math.min(count, 10_000)) + 3 * MIB;
  return {
    record: {
      ...record(9_900_000 + count, startedAt, "captures", `spectrum/${name}.raw`, parts, fileSize),
      last_activity_at_utc: new Date().toISOString(),
      waiting_for: formatWaiting({ for: "parts", count: 4 }),
    },
    status: "processing",
    parts,
    log: ["upload created"],
  };
}

function record(
  n: number,
  startedAt: number,
  watch: string,
  relative: string,
  parts: readonly Part[],
  fileSize: number,
): StreamRecord {
  const key = `recordings/${watch}/${relative}`;
  return {
    id: streamId(ulid(startedAt, n)),
    original_path: `/srv/${watch}/${relative}`,
    source: "recorder-01",
    watch,
    s3_bucket: "recordings",
    s3_key_prefix: `recordings/${watch}/`,
    s3_key: key,
    ...(parts.length > 0 ? { s3_upload_id: `2~${hex(n * 31, 40)}` } : {}),
    status: "opening",
    next_part: parts.length + 1,
    bytes_sent: parts.reduce((sum, part) => sum + part.Size, 0),
    part_plan: formatPlan(PLAN),
    file_size: fileSize,
    file_inode: String(1_000_000 + n),
    file_birthtime_ns: `${startedAt}000000`,
    file_device: "2049",
    file_mtime_ns: `${startedAt + 50_000}000000`,
    started_at_utc: new Date(startedAt).toISOString(),
    last_activity_at_utc: new Date(startedAt + 55_000).toISOString(),
    fence: 1,
    revision: 0,
    content_type: "video/x-matroska",
    longest_pause_ms: 900,
    verify_mode: "full",
    schema_version: 1,
  };
}

function partsOf(count: number, salt: number): Part[] {
  return Array.from({ length: count }, (_, at): Part => {
    const n = at + 1;
    return {
      PartNumber: n,
      ETag: hex(salt * 7_919 + n, 32),
      Size: partBytes(PLAN, n),
      Offset: partOffset(PLAN, n),
      ChecksumCRC32: Buffer.from(hex(salt + n, 8), "hex").toString("base64"),
      UploadedAt: new Date(Date.now() - (count - at) * 1_500).toISOString(),
      Attempts: (salt + n) % 97 === 0 ? 2 : 1,
      DurationMs: 180 + ((salt + n) % 700),
    };
  });
}

const CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz";

/** A ULID whose random half is derived from a number, so that the same seed writes the same ids. */
export function ulid(ms: number, n: number): string {
  let time = "";
  for (let left = ms, at = 0; at < 10; at += 1, left = Math.floor(left / 32))
    time = (CROCKFORD[left % 32] ?? "0") + time;
  let rest = "";
  for (let left = n, at = 0; at < 16; at += 1, left = Math.floor(left / 32))
    rest = (CROCKFORD[left % 32] ?? "0") + rest;
  return time + rest;
}

/** Digits that look random but are not. */
export function hex(n: number, length: number): string {
  let text = "";
  for (let at = 0, state = (n + 1) >>> 0; text.length < length; at += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223 + at) >>> 0;
    text += state.toString(16).padStart(8, "0");
  }
  return text.slice(0, length);
}
