import { expect, it } from "vitest";
import { newStream } from "../testing/test-values.ts";
import { streamBreaches } from "./invariants.ts";
import { patched } from "./record.ts";

it("a stream begins known to Redis and unknown to S3", () => {
  const record = newStream();
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
  expect(newStream({ supersedes: { id: "old", key: "a-2.bin" } })).toMatchObject({
    supersedes: "old",
    s3_key: "a-2.bin",
  });
  expect(newStream({ supersedes: { id: "old" } }).s3_key).toBeUndefined();
});

it("a stream says what it waits for from the beginning where that is known", () => {
  expect(newStream({ waiting: { for: "rename", suffix: ".part" } }).waiting_for).toBe(
    `{"for":"rename","suffix":".part"}`,
  );
  expect("waiting_for" in newStream()).toBe(false);
});

it("a patch sets and removes fields and changes neither argument", () => {
  const record = newStream();
  const before = structuredClone(record);
  const after = patched(record, { s3_key: "k", content_type: null });
  expect(after.s3_key).toBe("k");
  expect("content_type" in after).toBe(false);
  expect(record).toEqual(before);
});
