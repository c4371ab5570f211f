import { describe, expect, test } from "vitest";
import type { DoneEntry, FileFacts } from "@sluice/core";
import type { Known } from "./path-table.ts";
import { judgeSighting, type Sighting } from "./sighting.ts";

const facts: FileFacts = {
  size: 100,
  inode: "7",
  device: "1",
  birthtimeNs: "5",
  mtimeNs: "50",
  ctimeNs: "60",
};
const done: DoneEntry = {
  stream_id: "old",
  file_inode: "7",
  file_birthtime_ns: "5",
  file_size: 100,
  file_mtime_ns: "50",
  s3_bucket: "b",
  s3_key: "a",
  completed_at_utc: "2026-01-01T00:00:00.000Z",
};
const failed = (reason: string, inode = "7"): Known => ({
  kind: "failed",
  stream: { id: "f", reason, file_inode: inode, file_birthtime_ns: "5" },
});
const judge = (seen: Partial<Sighting>) =>
  judgeSighting({ facts, known: undefined, live: undefined, done: undefined, ...seen });
const doneKnown = (entry: Partial<DoneEntry> = {}): Known => ({ kind: "done", entry: { ...done, ...entry } });

describe("a file seen by a walk", () => {
  test("that nothing knows is opened", () => {
    expect(judge({})).toEqual({ kind: "open" });
  });
  test("that is live wakes its stream", () => {
    expect(judge({ known: { kind: "live", id: "s" } })).toEqual({ kind: "poke", id: "s" });
  });
  test("that is completed and unchanged is left alone, whatever its ctime", () => {
    expect(judge({ known: doneKnown(), facts: { ...facts, ctimeNs: "99" } })).toEqual({ kind: "nothing" });
  });
  test.each([
    { name: "grew", change: { size: 200, mtimeNs: "70" } },
    { name: "was rewritten in place", change: { mtimeNs: "70" } },
  ])("that is completed and $name is reopened under its key (F3)", ({ change }) => {
    expect(judge({ known: doneKnown(), facts: { ...facts, ...change } })).toMatchObject({
      kind: "reopen",
      entry: { s3_key: "a" },
    });
  });
  test.each([
    { name: "became shorter", change: { size: 50, mtimeNs: "70" } },
    { name: "is another file (F10)", change: { inode: "8" } },
    { name: "reuses the inode (F9)", change: { birthtimeNs: "6" } },
  ])(
    "at a completed path that $name is a new file, whose object never replaces the old one",
    ({ change }) => {
      expect(judge({ known: doneKnown(), facts: { ...facts, ...change } })).toEqual({ kind: "open" });
    },
  );
  test("F7: under a new name keeps its live stream", () => {
    expect(judge({ live: { path: "/in/old", stillThere: false } })).toEqual({
      kind: "follow_live",
      from: "/in/old",
    });
  });
  test("renamed after completion keeps its entry, and nothing is sent", () => {
    expect(judge({ done: { path: "/in/old", stillThere: false } })).toEqual({
      kind: "follow_done",
      from: "/in/old",
    });
  });
  test("with a second name is one stream (F24)", () => {
    expect(judge({ live: { path: "/in/first", stillThere: true } })).toEqual({
      kind: "alias",
      of: "/in/first",
    });
  });
  test.each(["file_missing", "file_missing_on_resume", "unreadable_file"])(
    "whose stream failed for %s heals",
    (reason) => {
      expect(judge({ known: failed(reason) })).toEqual({ kind: "heal", id: "f" });
    },
  );
  test("whose stream failed for good waits for an operator", () => {
    expect(judge({ known: failed("object_conflict") })).toEqual({ kind: "nothing" });
  });
  test("under the name of another file's failed stream is a new file", () => {
    expect(judge({ known: failed("object_conflict", "8") })).toEqual({ kind: "open" });
  });
  test("that was purged is left alone as it is, and taken up when it changes", () => {
    const known: Known = {
      kind: "ignored",
      file: { file_inode: "7", file_birthtime_ns: "5", file_size: 100, file_mtime_ns: "50" },
    };
    expect(judge({ known })).toEqual({ kind: "nothing" });
    expect(judge({ known, facts: { ...facts, size: 101 } })).toEqual({ kind: "lift" });
    expect(judge({ known, facts: { ...facts, inode: "8" } })).toEqual({ kind: "lift" });
  });
  test("that was purged without facts is left alone whatever it is", () => {
    expect(judge({ known: { kind: "ignored", file: {} } })).toEqual({ kind: "nothing" });
  });
});
