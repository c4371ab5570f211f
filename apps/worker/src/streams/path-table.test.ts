import { expect, test } from "vitest";
import type { DoneEntry } from "@sluice/core";
import { PathTable } from "./path-table.ts";

const done = (inode: string): DoneEntry => ({
  stream_id: "s",
  file_inode: inode,
  file_size: 1,
  file_mtime_ns: "1",
  s3_bucket: "b",
  s3_key: "k",
  completed_at_utc: "2026-01-01T00:00:00.000Z",
});

test("a live stream hides that its path was completed before, until it ends", () => {
  const table = new PathTable();
  table.setDone("/a", done("1"));
  table.setLive("/a", "s2", { inode: "1" });
  expect(table.get("/a")).toEqual({ kind: "live", id: "s2" });
  table.clearLive("/a");
  expect(table.get("/a")?.kind).toBe("done");
});

test("a file is found by its identity under the name it is known by", () => {
  const table = new PathTable();
  table.setLive("/a", "s", { inode: "1", birthtimeNs: "9" });
  expect(table.livePathOf({ inode: "1", birthtimeNs: "9" })).toBe("/a");
  expect(table.livePathOf({ inode: "1", birthtimeNs: "8" })).toBeUndefined();
  table.clearLive("/a");
  expect(table.livePathOf({ inode: "1", birthtimeNs: "9" })).toBeUndefined();
});

test("the end of one stream does not clear the path that a later one took", () => {
  const table = new PathTable();
  table.setLive("/a", "new", { inode: "2" });
  table.clearLive("/a", "old");
  expect(table.get("/a")).toEqual({ kind: "live", id: "new" });
});

test("what is opened is neither failed nor ignored any more", () => {
  const table = new PathTable();
  table.setFailed("/a", { id: "f", reason: "file_missing" });
  table.setLive("/a", "s", { inode: "1" });
  table.clearLive("/a");
  expect(table.get("/a")).toBeUndefined();
});
