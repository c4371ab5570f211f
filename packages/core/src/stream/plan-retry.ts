/** What a retry of a failed stream will do. Pure: the dashboard shows it, the worker does it. */
import { retryBegins } from "./failures.ts";
import type { StreamRecord } from "./record.ts";
import type { Event } from "./state.ts";

export interface RetryPlan {
  event: Extract<Event, "retried" | "redescribed" | "restarted">;
  /** Acknowledged bytes that are sent a second time. */
  bytesSentAgain: number;
  words: string;
}

/** With which move a retry of a failed stream begins, how many bytes are sent again, and both in words. Pure. */
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
  const begins = retryBegins(record.failure_reason);
  if (record.s3_upload_id !== undefined && begins === "at_checkpoint") {
    return {
      event: "retried",
      bytesSentAgain: 0,
      words: "Resumes after the last acknowledged part; nothing is sent again.",
    };
  }
  const words =
    begins === "under_the_next_name"
      ? "Takes the next free name; all bytes are sent again."
      : "Starts again from byte 0; all bytes are sent again.";
  return { event: "restarted", bytesSentAgain: record.bytes_sent, words };
}
