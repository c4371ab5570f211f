import { expect, test } from "vitest";
import { streamId, type DoneEntry } from "@sluice/core";
import { newStream } from "@sluice/core/testing";
import { PathTable } from "./path-table.ts";

const done = (inode: string): DoneEntry => ({
  stream_id: `of ${inode}`,
  file_inode: inode,
  file_size: 1,
  file_mtime_ns: "1",
  s3_bucket: "b",
  s3_key: "k",
  completed_at_utc: "2026-01-01T00:00:00.000Z",
});
const file = (inode: string) => ({ file_inode: inode });

test("a live stream hides that its path was completed before, until it ends", () => {
  const table = new PathTable();
  table.setDone("/a", done("1"));
  table.setLive("/a", "s2", file("1"));
  expect(table.get("/a")).toEqual({ kind: "live", id: "s2" });
  expect(table.at("/a").done).toEqual(done("1"));
  table.clearLive("s2");
  expect(table.get("/a")?.kind).toBe("done");
});

test("every file with an inode number is found under the name it is known by, also where numbers repeat", () => {
  const table = new PathTable();
  table.setLive("/a", "s", file("1"));
  table.setLive("/b", "t", file("1"));
  expect(table.liveOf("1").map(({ path }) => path)).toEqual(["/a", "/b"]);
  table.clearLive("s");
  expect(table.liveOf("1").map(({ id }) => id)).toEqual(["t"]);
  table.setDone("/c", done("2"));
  table.setDone("/d", done("2"));
  table.clearDone("/c");
  expect(table.doneOf("2").map(({ path }) => path)).toEqual(["/d"]);
  expect(table.liveOf("3")).toEqual([]);
});

test("D7a: a stream that ends leaves no path behind, whichever path it had meanwhile", () => {
  const table = new PathTable();
  table.setLive("/a", "s", file("1"));
  table.setLive("/b", "s", file("1"));
  expect(table.get("/a")).toBeUndefined();
  table.clearLive("s");
  expect([...table.live()]).toEqual([]);
  expect(table.get("/b")).toBeUndefined();
  expect(table.liveOf("1")).toEqual([]);
});

test("the end of one stream does not clear the path that a later one took", () => {
  const table = new PathTable();
  table.setLive("/a", "old", file("1"));
  table.setLive("/a", "new", file("2"));
  table.clearLive("old");
  expect(table.get("/a")).toEqual({ kind: "live", id: "new" });
});

test("a stream that took up another file at its path is found by that one, and the former file by none", () => {
  const table = new PathTable();
  const record = { ...newStream({ id: streamId("s"), path: "/a" }), file_inode: "2" };
  table.setLive("/a", "s", file("1"));
  table.takeUpFile(record);
  expect([table.liveOf("1"), table.liveOf("2")]).toMatchObject([[], [{ id: "s", path: "/a" }]]);
  // Not a stream that follows its file to another path: that is reported separately.
  table.takeUpFile({ ...record, original_path: "/b", file_inode: "3" });
  expect(table.liveOf("2")).toMatchObject([{ id: "s", path: "/a" }]);
});

test("D2a: while streams take each other's paths, each is found by its file", () => {
  const table = new PathTable();
  table.setLive("/a", "s", file("1"));
  table.setLive("/b", "t", file("2"));
  table.setLive("/b", "s", file("1"));
  expect(table.get("/b")).toEqual({ kind: "live", id: "s" });
  expect(table.liveOf("2")).toMatchObject([{ id: "t", path: "/b" }]);
  table.setLive("/a", "t", file("2"));
  expect(table.get("/a")).toEqual({ kind: "live", id: "t" });
  expect(table.get("/b")).toEqual({ kind: "live", id: "s" });
});

test("D2a: entries that move in a circle overwrite no other, and leave one that changed meanwhile", () => {
  const table = new PathTable();
  const [a, b, later] = [done("1"), done("2"), done("3")];
  table.setDone("/a", a);
  table.setDone("/b", b);
  table.moveDone([
    { from: "/a", to: "/b", entry: a },
    { from: "/b", to: "/a", entry: b },
  ]);
  expect([table.done("/a"), table.done("/b")]).toEqual([b, a]);
  table.setDone("/a", later);
  table.moveDone([{ from: "/a", to: "/c", entry: b }]);
  expect([table.done("/a"), table.done("/c")]).toEqual([later, b]);
});

test("what is opened is neither failed nor ignored nor waiting any more", () => {
  const table = new PathTable();
  table.setFailed("/a", {
    id: "f",
    reason: "file_missing",
    status: "failed_file_missing",
    bytes_sent: 0,
    file_inode: "1",
  });
  table.setWaiting([{ id: "w", path: "/a", file: file("1") }]);
  expect(table.get("/a")).toEqual({ kind: "waiting", id: "w" });
  table.setLive("/a", "s", file("1"));
  table.clearLive("s");
  expect(table.get("/a")).toBeUndefined();
  expect([table.failedOf("1"), table.waitingOf("1")]).toEqual([[], []]);
});

test("what runs here does not wait", () => {
  const table = new PathTable();
  table.setLive("/a", "s", file("1"));
  table.setWaiting([{ id: "s", path: "/a", file: file("1") }]);
  expect(table.waitingOf("1")).toEqual([]);
});
