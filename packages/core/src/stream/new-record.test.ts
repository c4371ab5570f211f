import { expect, it } from "vitest";
import { PART } from "../testing/test-values.ts";
import { streamBreaches } from "./invariants.ts";
import { newRecord, type NewRecord } from "./new-record.ts";
import { patched } from "./record.ts";

const from: NewRecord = {
  id: "01j",
  path: "/inbox/a.bin",
  source: "box",
  watch: "inbox",
  bucket: "recordings",
  keyPrefix: "",
  contentType: "video/mp4",
  verify: "full",
  plan: { kind: "stepped", partBytes: PART, expectedMaxBytes: 1, maxParts: 10_000 },
  owner: "worker-1",
  nowUtc: "2026-01-01T00:00:00.000Z",
  facts: { size: 9, inode: "7", device: "1", birthtimeNs: "1", mtimeNs: "2", ctimeNs: "3" },
};

it("a stream begins known to Redis and unknown to S3", () => {
  const record = newRecord(from);
  expect(record).toMatchObject({
    status: "opening",
    next_part: 1,
    bytes_sent: 0,
    fence: 1,
    revision: 0,
    file_size: 9,
  });
  expect(record.s3_key).toBeUndefined();
  expect(record.supersedes).toBeUndefined();
  expect(streamBreaches(record, new Map())).toEqual([]);
});

it("a reopened file inherits the key, a replaced one only the link", () => {
  expect(newRecord({ ...from, supersedes: { id: "old", key: "a-2.bin" } })).toMatchObject({
    supersedes: "old",
    s3_key: "a-2.bin",
  });
  expect(newRecord({ ...from, supersedes: { id: "old" } }).s3_key).toBeUndefined();
});

it("a patch sets and removes fields and changes neither argument", () => {
  const record = newRecord(from);
  const before = structuredClone(record);
  const after = patched(record, { s3_key: "k", content_type: null });
  expect(after.s3_key).toBe("k");
  expect("content_type" in after).toBe(false);
  expect(record).toEqual(before);
});
