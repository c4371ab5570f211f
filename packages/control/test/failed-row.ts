/** A row of a failed stream, for tests of what is chosen and shown. */
import type { ListedStream } from "@sluice/redis-schema";

export function failedRow(over: Partial<ListedStream> = {}): ListedStream {
  return {
    id: "s1",
    status: "failed_access_denied",
    kind: "failed",
    source: "src",
    watch: "rec",
    original_path: "/rec/cam1/a.mkv",
    s3_key: "cam1/a.mkv",
    failure_reason: "access_denied",
    last_activity_at_utc: "2026-11-24T11:00:00Z",
    ...over,
  };
}
