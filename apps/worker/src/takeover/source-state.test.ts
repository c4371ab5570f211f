import type { DoneEntry } from "@sluice/core";
import { expect, it } from "vitest";
import { mergeDone } from "./source-state.ts";

const entry = (id: string, minute: number): DoneEntry => ({
  stream_id: id,
  file_inode: id,
  file_size: 1,
  file_mtime_ns: "1",
  s3_bucket: "b",
  s3_key: id,
  completed_at_utc: `2026-11-30T00:0${minute}:00.000Z`,
});
const [one, again, two] = [entry("one", 1), entry("again", 2), entry("two", 1)];

it.each([
  ["lost entries are put back", {}, { "/a": one }, { "/a": one }, ["/a"], []],
  ["what both know is left alone", { "/a": one }, { "/a": one }, { "/a": one }, [], []],
  ["the later completion counts, ours", { "/a": one }, { "/a": again }, { "/a": again }, ["/a"], []],
  ["the later completion counts, another worker's", { "/a": again }, { "/a": one }, { "/a": again }, [], []],
  [
    "entries of files that were never ours stay",
    { "/b": two },
    { "/a": one },
    { "/a": one, "/b": two },
    ["/a"],
    [],
  ],
  [
    "an entry moved with its renamed file is not at its old path",
    { "/a": one },
    { "/b": one },
    { "/b": one },
    ["/b"],
    ["/a"],
  ],
  [
    "another file at the old path keeps its own",
    { "/a": one },
    { "/b": one, "/a": again },
    { "/b": one, "/a": again },
    ["/b", "/a"],
    [],
  ],
] as const)("D8b: %s", (_case, inRedis, remembered, all, put, moved) => {
  const merged = mergeDone(new Map(Object.entries(inRedis)), new Map(Object.entries(remembered)));
  expect(Object.fromEntries(merged.all)).toEqual(all);
  expect(merged.put.map(({ path }) => path)).toEqual(put);
  expect(merged.moved).toEqual(moved);
});
