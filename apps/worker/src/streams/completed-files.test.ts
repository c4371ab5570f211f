import type { DoneEntry, FileFacts } from "@sluice/core";
import { ManualClock, MemoryDisk, MemoryFileSource, sampleBytes } from "@sluice/core/testing";
import { describe, expect, it, test } from "vitest";
import { LateMarkers, moveBatches, safeMoves } from "./completed-files.ts";
import { PathTable } from "./path-table.ts";
import type { Watch } from "../files/watch/watch.ts";

const PATH = "/in/a.bin";
// Only handed on.
const WATCH = { name: "in" } as Watch;

function entryOf(facts: FileFacts, id: string): DoneEntry {
  return {
    stream_id: id,
    file_inode: facts.inode,
    ...(facts.birthtimeNs === undefined ? {} : { file_birthtime_ns: facts.birthtimeNs }),
    file_size: facts.size,
    file_mtime_ns: facts.mtimeNs,
    s3_bucket: "b",
    s3_key: "a.bin",
    completed_at_utc: "2026-01-01T00:00:00.000Z",
  };
}

/** A completed file that was kept. */
function setUp() {
  const disk = new MemoryDisk({ clock: new ManualClock() });
  const files = new MemoryFileSource(disk);
  const table = new PathTable();
  const markers = new LateMarkers();
  disk.append(PATH, sampleBytes(10, 1));
  table.setDone(PATH, entryOf(disk.facts(PATH), "s1"));
  markers.keep(PATH, "s1", WATCH);
  const come = async (): Promise<string[]> => {
    const found: string[] = [];
    for await (const { path } of markers.come(table, files)) found.push(path);
    return found;
  };
  return { disk, table, markers, come };
}

describe("D7b: a marker that comes after its file was completed and kept", () => {
  it("D7b: is found, until a stream has the file", async () => {
    const { disk, table, come } = setUp();
    expect(await come()).toEqual([]);
    disk.mark(PATH);
    expect(await come()).toEqual([PATH]);
    table.setLive(PATH, "s2", {});
    expect(await come()).toEqual([]);
    table.clearLive("s2");
    expect(await come()).toEqual([PATH]);
    table.setDone(PATH, entryOf(disk.facts(PATH), "s2"));
    expect(await come()).toEqual([]);
  });

  it("D7b: says nothing of a file that changed or is another by now", async () => {
    const { disk, come } = setUp();
    disk.append(PATH, sampleBytes(1, 2));
    disk.mark(PATH);
    expect(await come()).toEqual([]);
    disk.replace(PATH, sampleBytes(10, 1));
    disk.mark(PATH);
    expect(await come()).toEqual([]);
  });

  it("D7b: that is older than the last write says nothing", async () => {
    const { disk, table, come } = setUp();
    disk.mark(PATH);
    disk.touch(PATH);
    table.setDone(PATH, entryOf(disk.facts(PATH), "s1"));
    expect(await come()).toEqual([]);
  });

  it("is looked for at the latest 1,000 files", async () => {
    const { disk, markers, come } = setUp();
    disk.mark(PATH);
    for (let at = 0; at < 1_000; at += 1) markers.keep(`/in/${at}`, "s", WATCH);
    expect(await come()).toEqual([]);
  });
});

const move = (text: string) => ({ from: text[0] ?? "", to: text[1] ?? "" });
const words = (moves: readonly { from: string; to: string }[]): string[] =>
  moves.map(({ from, to }) => from + to).toSorted();

describe("D2a: moves of entries", () => {
  test.each([
    ["a swap is safe by itself", ["ab", "ba"], "", ["ab", "ba"]],
    ["so is a circle of three", ["ab", "bc", "ca"], "", ["ab", "bc", "ca"]],
    ["a rotation ends at a free name", ["ab", "bc"], "c", ["ab", "bc"]],
    ["one that ends at a name whose own file was not found waits as a whole", ["ab", "bc"], "", []],
    ["beside a swap that is safe", ["ab", "ba", "cd"], "", ["ab", "ba"]],
  ])("%s", (_, moves, free, safe) => {
    const isFree = (path: string): boolean => free.includes(path);
    expect(words(safeMoves(moves.map(move), isFree))).toEqual(safe);
  });

  test("are sent in batches that keep chains and circles whole", () => {
    const pairs = Array.from({ length: 700 }, (_, at) => [
      { from: `${at}a`, to: `${at}b` },
      { from: `${at}b`, to: `${at}a` },
    ]).flat();
    const batches = moveBatches(pairs);
    expect(batches.map(({ length }) => length)).toEqual([500, 500, 400]);
    for (const batch of batches) {
      const left = new Set(batch.map(({ from }) => from));
      expect(batch.every(({ to }) => left.has(to))).toBe(true);
    }
  });

  test("go with what leaves the name they take, wherever in the list that is", () => {
    expect(moveBatches(["bc", "ab", "xy"].map(move)).map(words)).toEqual([["ab", "bc", "xy"]]);
    expect(moveBatches([])).toEqual([]);
  });
});
