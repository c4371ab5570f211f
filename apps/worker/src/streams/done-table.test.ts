import { expect, test } from "vitest";
import type { DoneEntry } from "@sluice/core";
import { DoneTable } from "./done-table.ts";

const least: DoneEntry = {
  stream_id: "01A",
  file_inode: "12",
  file_size: 0,
  file_mtime_ns: "1764500000000000001",
  s3_bucket: "one",
  s3_key: "a/b",
  completed_at_utc: "2026-11-30T20:00:00.000Z",
};
const most: Required<DoneEntry> = {
  ...least,
  file_birthtime_ns: "1764500000000000002",
  file_device: "2049",
  file_boot: "boot-1",
  file_ctime_ns: "1764500000000000003",
  etag: '"abc-3"',
  crc32: "AAAAAA==",
  seen_shorter: true,
  longest_pause_ms: 1_234.5,
};

test.each<[what: string, entry: DoneEntry]>([
  ["has only what it must have", least],
  ["has everything", most],
  ["has an empty ETag, which is not the same as none", { ...least, etag: "" }],
  ["paused for 0 ms", { ...least, longest_pause_ms: 0 }],
  ["has a key of any characters", { ...least, s3_key: "ä/=\t\n\udcff\u{1f3a5}" }],
  ["is of a device without a boot", { ...least, file_device: "1" }],
  ["is as large as a number can say", { ...least, file_size: Number.MAX_SAFE_INTEGER }],
])("an entry is returned as it was set if it %s", (_what, entry) => {
  const table = new DoneTable();
  table.set("/other", most);
  table.set("/a", entry);
  expect(table.get("/a")).toStrictEqual(entry);
  expect(new Map(table.entries())).toStrictEqual(
    new Map([
      ["/other", most],
      ["/a", entry],
    ]),
  );
});

test("an object is kept by a file at another path that has its bucket and its whole key", () => {
  const table = new DoneTable();
  table.set("/a", least);
  table.set("/b", { ...most, s3_bucket: "two", s3_key: "a/b/c" });
  expect(table.keeps({ bucket: "one", key: "a/b" }, "/new")).toBe(true);
  expect(table.keeps({ bucket: "one", key: "a/b" }, "/a")).toBe(false);
  expect(table.keeps({ bucket: "two", key: "a/b" }, "/new")).toBe(false);
  expect(table.keeps({ bucket: "two", key: "a/b/c" }, "/new")).toBe(true);
  expect(table.keeps({ bucket: "three", key: "a/b" }, "/new")).toBe(false);
  table.delete("/a");
  expect(table.keeps({ bucket: "one", key: "a/b" }, "/new")).toBe(false);
  table.clear();
  expect([...table.paths()]).toEqual([]);
});
