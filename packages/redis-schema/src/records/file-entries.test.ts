import type { DoneEntry } from "@sluice/core";
import { expect, test } from "vitest";
import { formatDone, parseDone } from "./file-entries.ts";

const entry: DoneEntry = {
  stream_id: "01A",
  file_inode: "12",
  file_size: 0,
  file_mtime_ns: "1764500000000000001",
  s3_bucket: "one",
  s3_key: "a/b",
  completed_at_utc: "2026-11-30T20:00:00.000Z",
};

test("a completed file is read as it was written", () => {
  expect(parseDone(formatDone(entry))).toEqual({ kind: "ok", value: entry });
});

test.each(["stream_id", "file_boot", "s3_bucket", "s3_key", "etag", "crc32"] as const)(
  "an entry with NUL in its %s is not read: a worker keeps entries packed with it between their fields",
  (field) => {
    expect(parseDone(formatDone({ ...entry, [field]: "a\0b" })).kind).toBe("corrupt");
  },
);
