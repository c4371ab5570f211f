import { expect, it } from "vitest";
import type { FileFacts } from "../stream/identity.ts";
import { FileHistory } from "./file-history.ts";

const facts = (size: number, mtimeNs = String(size)): FileFacts => ({
  size,
  inode: "1",
  device: "1",
  mtimeNs,
  ctimeNs: mtimeNs,
});

it("C8, F29: quiet counts from the change that was seen, on the monotonic clock, not from mtime", () => {
  const history = new FileHistory(1_000, 0);
  expect(history.firstLook).toBe(true);
  expect(history.see(facts(5, "99999999999999999999"), 1_500)).toBe(false);
  expect(history.firstLook).toBe(false);
  expect(history.quietMs(4_000)).toBe(3_000);
  expect(history.see(facts(6), 5_000)).toBe(true);
  expect(history.quietMs(5_000)).toBe(0);
});

it("a change of mtime alone is a change", () => {
  const history = new FileHistory(0, 0);
  history.see(facts(5, "1"), 0);
  expect(history.see(facts(5, "2"), 10)).toBe(true);
  expect(history.see(facts(5, "2"), 20)).toBe(false);
});

it("a change of size alone is a change", () => {
  const history = new FileHistory(0, 0);
  history.see(facts(5, "1"), 0);
  expect(history.see(facts(6, "1"), 10)).toBe(true);
});

it("a pause lies between two changes that were both seen; what was known before is not forgotten", () => {
  const history = new FileHistory(0, 7_000);
  history.see(facts(1), 0);
  history.see(facts(2), 60_000);
  expect(history.longestPauseMs).toBe(7_000);
  history.see(facts(3), 65_000);
  expect(history.longestPauseMs).toBe(7_000);
  history.see(facts(4), 90_000);
  expect(history.longestPauseMs).toBe(25_000);
});
