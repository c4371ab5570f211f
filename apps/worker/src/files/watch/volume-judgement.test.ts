import { expect, test } from "vitest";
import { judgeVolume } from "./watch-runner.ts";

const root = { inode: "1", birthtimeNs: "1" };
const other = { inode: "2", birthtimeNs: "2" };

test.each([
  { name: "root and files there", facts: { root, recorded: root, live: 3, missing: 0 }, state: "ok" },
  { name: "no live files at all", facts: { root, recorded: root, live: 0, missing: 0 }, state: "ok" },
  { name: "first start", facts: { root, recorded: undefined, live: 0, missing: 0 }, state: "ok" },
  { name: "one of one file missing", facts: { root, recorded: root, live: 1, missing: 1 }, state: "ok" },
  { name: "one of many missing", facts: { root, recorded: root, live: 3, missing: 1 }, state: "ok" },
  { name: "two of three missing", facts: { root, recorded: root, live: 3, missing: 2 }, state: "ok" },
  { name: "all of two missing", facts: { root, recorded: root, live: 2, missing: 2 }, state: "offline" },
  { name: "root gone", facts: { root: undefined, recorded: root, live: 1, missing: 1 }, state: "offline" },
  {
    name: "root gone without live files",
    facts: { root: undefined, recorded: root, live: 0, missing: 0 },
    state: "offline",
  },
  {
    name: "another directory that holds none of its files",
    facts: { root: other, recorded: root, live: 1, missing: 1 },
    state: "offline",
  },
  {
    name: "another directory that holds some of its files",
    facts: { root: other, recorded: root, live: 2, missing: 1 },
    state: "ok",
  },
  {
    name: "another directory, no live files",
    facts: { root: other, recorded: root, live: 0, missing: 0 },
    state: "ok",
  },
])("F32 $name: $state", ({ facts, state }) => {
  expect(judgeVolume({ ...facts, missed: facts.missing }).state).toBe(state);
});

test.each([
  { name: "all of ten, of which nothing was sent", missed: 0, state: "ok" },
  { name: "all of ten, of which one has parts in S3", missed: 1, state: "offline" },
])("D2d files missing at once: $name: $state", ({ missed, state }) => {
  expect(judgeVolume({ root, recorded: root, live: 10, missing: 10, missed }).state).toBe(state);
});

test("F32 another directory that holds none of its files is not theirs, whatever was sent", () => {
  expect(judgeVolume({ root: other, recorded: root, live: 2, missing: 2, missed: 0 }).state).toBe("offline");
});
