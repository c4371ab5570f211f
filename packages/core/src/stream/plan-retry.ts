/** What a retry of a failed stream will do, said before it is done. Pure: the dashboard shows it, the worker does it. */
import type { StreamRecord } from "./record.ts";
import type { Event } from "./state.ts";

export interface RetryPlan {
  event: Extract<Event, "retried" | "redescribed" | "restarted">;
  /** Acknowledged bytes that go up a second time. */
  bytesSentAgain: number;
  words: string;
}

/** Reasons after which the parts in S3 are of no use: the next attempt goes under another key or another plan. */
const STARTS_ANEW: ReadonlySet<string> = new Set(["object_conflict", "part_limit"]);

export function planRetry(
  record: Pick<StreamRecord, "failure_reason" | "sealed_at_utc" | "s3_upload_id" | "bytes_sent">,
): RetryPlan {
  if (record.sealed_at_utc !== undefined) {
    return {
      event: "redescribed",
      bytesSentAgain: 0,
      words: "The object is stored; only its metadata and the tidying remain.",
    };
  }
  const anew = STARTS_ANEW.has(record.failure_reason ?? "");
  if (record.s3_upload_id !== undefined && !anew) {
    return {
      event: "retried",
      bytesSentAgain: 0,
      words: "Goes on behind the last acknowledged part; nothing is sent again.",
    };
  }
  const words =
    record.failure_reason === "object_conflict"
      ? "Takes the next free name; all bytes are sent again."
      : "Starts again from byte 0; all bytes are sent again.";
  return { event: "restarted", bytesSentAgain: record.bytes_sent, words };
}
