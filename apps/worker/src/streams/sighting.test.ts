import { describe, expect, test } from "vitest";
import type { DoneEntry, FileFacts } from "@sluice/core";
import type { AtPath, FailedFile } from "./path-table.ts";
import { judgeSighting, type Elsewhere, type Sighting } from "./sighting.ts";

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
const failed = (reason: string, over: Partial<FailedFile> = {}): Partial<AtPath> => ({
  failed: {
    id: "f",
    reason,
    status: `failed_${reason}`,
    bytes_sent: 0,
    file_inode: "7",
    file_birthtime_ns: "5",
    file_size: 100,
    ...over,
  },
});
const nothing: AtPath = {
  live: undefined,
  waiting: undefined,
  failed: undefined,
  ignored: undefined,
  done: undefined,
};
type Seen = Partial<Omit<Sighting, "at">> & { at?: Partial<AtPath> };
const judge = ({ at, ...seen }: Seen) =>
  judgeSighting({ facts, elsewhere: undefined, walked: false, ...seen, at: { ...nothing, ...at } });
const doneAt = (entry: Partial<DoneEntry> = {}): Partial<AtPath> => ({ done: { ...done, ...entry } });
const liveAt = (inode = "7"): Partial<AtPath> => ({
  live: { id: "s", path: "/in/here", file: { file_inode: inode, file_birthtime_ns: "5" } },
});
const live = (stillThere = false): Elsewhere => ({ kind: "live", id: "e", path: "/in/old", stillThere });
const completed = (stillThere = false): Elsewhere => ({
  kind: "done",
  entry: { ...done, s3_key: "old" },
  path: "/in/old",
  stillThere,
});
const FROM_OLD = { kind: "follow_done", from: "/in/old" };
const { birthtimeNs: _, ...bare } = facts;

describe("a file seen by a walk", () => {
  test("that nothing knows is opened", () => {
    expect(judge({})).toEqual({ kind: "open" });
  });
  test("that is live wakes its stream", () => {
    expect(judge({ at: liveAt() })).toEqual({ kind: "poke", id: "s" });
  });
  test("that is completed and unchanged is left alone, whatever its ctime", () => {
    expect(judge({ at: doneAt(), facts: { ...facts, ctimeNs: "99" } })).toMatchObject({
      kind: "completed",
      is: { kind: "unchanged" },
    });
  });
  test.each([
    { name: "grew", change: { size: 200, mtimeNs: "70" } },
    { name: "was rewritten in place", change: { mtimeNs: "70" } },
  ])("that is completed and $name is reopened under its key (F3)", ({ change }) => {
    expect(judge({ at: doneAt(), facts: { ...facts, ...change } })).toMatchObject({
      kind: "completed",
      entry: { s3_key: "a" },
      is: { kind: "reopen" },
    });
  });
  test.each([
    { name: "became shorter", change: { size: 50, mtimeNs: "70" } },
    { name: "is another file (F10)", change: { inode: "8" } },
    { name: "reuses the inode (F9)", change: { birthtimeNs: "6" } },
  ])(
    "at a completed path that $name is a new file, whose object never replaces the old one",
    ({ change }) => {
      expect(judge({ at: doneAt(), facts: { ...facts, ...change }, walked: true })).toMatchObject({
        kind: "completed",
        is: { kind: "another" },
      });
    },
  );
  test("F7: under a new name keeps its live stream", () => {
    expect(judge({ elsewhere: live() })).toEqual({ kind: "follow_live", id: "e" });
  });
  test("renamed after completion keeps its entry, and nothing is sent", () => {
    expect(judge({ elsewhere: completed() })).toMatchObject(FROM_OLD);
  });
  test("with a second name is one stream (F24)", () => {
    for (const elsewhere of [live(true), completed(true)])
      expect(judge({ elsewhere })).toEqual({ kind: "alias", of: "/in/old" });
  });
  test.each(["file_missing", "file_missing_on_resume", "unreadable_file"])(
    "whose stream failed for %s recovers",
    (reason) => {
      expect(judge({ at: failed(reason) })).toEqual({ kind: "recover", id: "f" });
    },
  );
  test("whose stream failed for good waits for an operator", () => {
    expect(judge({ at: failed("object_conflict") })).toEqual({ kind: "nothing" });
  });
  test("under the name of another file's failed stream is a new file", () => {
    expect(judge({ at: failed("object_conflict", { file_inode: "8" }) })).toEqual({ kind: "open" });
  });
  test("that was purged is left alone as it is, and taken up when it changes", () => {
    const at: Partial<AtPath> = {
      ignored: { file_inode: "7", file_birthtime_ns: "5", file_size: 100, file_mtime_ns: "50" },
    };
    expect(judge({ at })).toEqual({ kind: "nothing" });
    expect(judge({ at, facts: { ...facts, size: 101 } })).toEqual({ kind: "lift" });
    expect(judge({ at, facts: { ...facts, inode: "8" } })).toEqual({ kind: "lift" });
  });
  test("that was purged without facts is left alone whatever it is", () => {
    expect(judge({ at: { ignored: {} } })).toEqual({ kind: "nothing" });
  });
});

describe("D2a: another file at a path that is known", () => {
  const other = { ...facts, inode: "9" };

  test("at the path of a live stream wakes that stream, which asks where its own file is, and opens nothing", () => {
    for (const seen of [{}, { elsewhere: completed(true) }, { elsewhere: live(true) }, { walked: true }])
      expect(judge({ at: liveAt(), facts: other, ...seen })).toEqual({ kind: "poke", id: "s" });
    expect(judge({ at: { ...liveAt("8"), ...doneAt({ file_size: 1 }) } })).toEqual({ kind: "poke", id: "s" });
  });
  test("is looked for by its identity first: its stream or entry follows it", () => {
    expect(judge({ at: liveAt(), facts: other, elsewhere: live() })).toEqual({
      kind: "follow_live",
      id: "e",
    });
    expect(judge({ at: liveAt(), facts: other, elsewhere: completed() })).toMatchObject(FROM_OLD);
    expect(judge({ at: doneAt(), facts: other, elsewhere: live() })).toEqual({
      kind: "follow_live",
      id: "e",
    });
    expect(judge({ at: failed("object_conflict"), facts: other, elsewhere: completed() })).toMatchObject(
      FROM_OLD,
    );
    expect(
      judge({
        at: { ignored: { file_inode: "7", file_birthtime_ns: "5" } },
        facts: other,
        elsewhere: completed(),
      }),
    ).toMatchObject(FROM_OLD);
  });
  test("at a completed path waits for a walk, which says whether that one was renamed too", () => {
    for (const elsewhere of [undefined, completed()])
      expect(judge({ at: doneAt(), facts: other, elsewhere })).toEqual({ kind: "displaced" });
    expect(judge({ at: doneAt(), facts: other, elsewhere: completed(), walked: true })).toMatchObject(
      FROM_OLD,
    );
    expect(judge({ at: doneAt(), facts: other, walked: true })).toMatchObject({
      kind: "completed",
      is: { kind: "another" },
    });
  });
  test("where numbers prove nothing, waits for a walk as well before it counts as a change of that one", () => {
    const { file_birthtime_ns: _birth, ...unborn } = { ...done, crc32: "AAAAAA==" };
    const at = { done: unborn };
    for (const size of [50, 200]) {
      const seen = { ...bare, inode: "9", size };
      expect(judge({ at, facts: seen })).toEqual({ kind: "displaced" });
      expect(judge({ at, facts: seen, walked: true })).toMatchObject({ kind: "completed" });
    }
    // As long as its size is that of the completed one, its bytes decide.
    const written = { ...bare, inode: "9", mtimeNs: "51" };
    expect(judge({ at, facts: written })).toMatchObject({ kind: "completed", is: { kind: "reread" } });
  });
  test("is that of a stream that is not run here yet: nothing begins until it is taken up", () => {
    const waiting = { id: "w", path: "/in/here", file: { file_inode: "7" } };
    expect(judge({ at: { waiting }, facts: other })).toEqual({ kind: "nothing" });
    expect(judge({ elsewhere: { kind: "waiting", id: "w", path: "/in/old", stillThere: false } })).toEqual({
      kind: "nothing",
    });
  });
  test("recovers the stream that failed because it was missing under its old name", () => {
    const elsewhere: Elsewhere = { kind: "failed", id: "f", path: "/in/old", stillThere: false };
    expect(judge({ elsewhere })).toEqual({ kind: "recover", id: "f" });
  });
});

describe("D7k: an inode number that is given out again where another file failed", () => {
  const unborn = { file_birthtime_ns: undefined };

  test.each([
    ["is another file once the path was empty", { ...unborn, wasGone: true }, bare],
    ["is another file when it is shorter", { ...unborn, file_size: 101 }, bare],
  ])("%s", (_case, over, seen) => {
    expect(judge({ at: failed("object_conflict", over), facts: seen })).toEqual({ kind: "open" });
  });
  test("is the failed file as long as nothing says otherwise", () => {
    expect(judge({ at: failed("object_conflict", unborn), facts: bare })).toEqual({ kind: "nothing" });
  });
  test("is the failed file where a birth time proves it, wherever it has been", () => {
    expect(judge({ at: failed("object_conflict", { wasGone: true }) })).toEqual({ kind: "nothing" });
  });
});
