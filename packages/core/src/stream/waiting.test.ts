import { describe, expect, it } from "vitest";
import {
  describeCompletedBy,
  describeWaiting,
  formatWaiting,
  parseWaiting,
  saysTheSame,
  type Waiting,
} from "./waiting.ts";

const EVERY: Waiting[] = [
  { for: "idle", since: "2026-01-01T00:00:00.000Z", until: "2026-01-01T00:00:30.000Z" },
  {
    for: "idle",
    since: "2026-01-01T00:00:00.000Z",
    until: "2026-01-01T00:00:30.000Z",
    unseen: "another user",
  },
  { for: "writer", pid: 42, command: "ffmpeg" },
  { for: "rename", suffix: ".part" },
  { for: "marker", marker: "a.bin.done" },
  { for: "parts", count: 2 },
  { for: "parts", count: 2, numbers: [3, 4], rate: 1_048_576, until: "2026-01-01T00:10:00.000Z" },
  { for: "volume", detail: "its root is gone" },
  { for: "store", detail: "AccessDenied: no" },
  { for: "store", detail: "InternalError: no", since: "2026-01-01T00:10:00.000Z", attempts: 4 },
  { for: "lease", detail: "Complete waits for it" },
  { for: "verify", done: 3, of: 9 },
  { for: "copy", key: "a.bin", done: 3, of: 9 },
  { for: "tidy", until: "2026-01-01T00:10:00.000Z" },
  { for: "operator", detail: "paused" },
];

describe("what a stream waits for", () => {
  it.each(EVERY)("is said in words for $for", (waiting) => {
    const words = describeWaiting(waiting);
    expect(words).not.toBe("");
    expect(words).not.toMatch(/undefined|\[object/);
  });

  it.each(EVERY)("comes back from the record for $for", (waiting) => {
    expect(parseWaiting(formatWaiting(waiting))).toEqual(waiting);
  });

  it("says when a writer might not be seen", () => {
    const idle = { for: "idle", since: "a", until: "b" } as const;
    const quiet = "idle since a; complete at b unless it is written again";
    expect(describeWaiting(idle)).toBe(quiet);
    expect(describeWaiting({ ...idle, unseen: "another user" })).toBe(
      `${quiet}; whether a process still has it open is unknown: another user`,
    );
  });

  it("names the process that holds the file, and one part as one", () => {
    expect(describeWaiting({ for: "writer", pid: 42, command: "ffmpeg" })).toContain("ffmpeg (pid 42)");
    expect(describeWaiting({ for: "parts", count: 1 })).toBe("1 part is still being sent");
    expect(describeWaiting({ for: "parts", count: 2 })).toBe("2 parts are still being sent");
  });

  it("names the parts and when they are there, the store's trouble with its beginning, and how far the seal is", () => {
    expect(describeWaiting({ for: "parts", count: 1, numbers: [7] })).toBe("part 7 is still being sent");
    expect(describeWaiting({ for: "parts", count: 2, numbers: [3, 4], rate: 9, until: "noon" })).toBe(
      "parts 3, 4 are still being sent; at this rate, what is on disk is in S3 at noon",
    );
    expect(describeWaiting({ for: "store", detail: "no", since: "noon", attempts: 4 })).toBe(
      "the store gives unexpected answers: no; since noon; 4 attempts",
    );
    expect(describeWaiting({ for: "verify", done: 3, of: 9 })).toContain("3 of 9 parts");
  });

  it("another rate of the same parts is no news", () => {
    const parts = { for: "parts", count: 1, numbers: [7] } as const;
    expect(saysTheSame({ ...parts, numbers: [7] }, { ...parts, numbers: [7], rate: 5 })).toBe(true);
    expect(saysTheSame({ ...parts, numbers: [7] }, { ...parts, numbers: [8] })).toBe(false);
    expect(saysTheSame(undefined, { ...parts, numbers: [8] })).toBe(false);
    expect(saysTheSame({ for: "lease", detail: "a" }, { for: "lease", detail: "b" })).toBe(false);
  });

  it("tells a volume that is away from a store that does not answer", () => {
    expect(describeWaiting({ for: "volume", detail: "its root is gone" })).toBe(
      "its volume is missing: its root is gone",
    );
    expect(describeWaiting({ for: "store", detail: "no" })).toBe("the store gives unexpected answers: no");
  });

  it("is nothing in a record without it, or with something else in its place", () => {
    for (const text of [undefined, "", "null", "7", `{"other":1}`])
      expect(parseWaiting(text)).toBeUndefined();
  });

  it("is shown as it is where another version wrote it otherwise", () => {
    expect(parseWaiting("still growing")).toEqual({ for: "operator", detail: "still growing" });
    const newer = `{"for":"moonrise"}`;
    expect(parseWaiting(newer)).toEqual({ for: "operator", detail: newer });
    const list = `{"for":["parts"]}`;
    expect(parseWaiting(list)).toEqual({ for: "operator", detail: list });
  });
});

it("is in words where an earlier version said that the file grows", () => {
  const words = "still growing: the next part is not full yet";
  expect(parseWaiting(`{"for":"growth"}`)).toEqual({ for: "operator", detail: words });
});

describe("what made a file complete", () => {
  it("is said in words, and another version's word as it is", () => {
    expect(describeCompletedBy("marker")).toBe("a marker file said so");
    expect(describeCompletedBy("toString")).toBe("toString");
  });
});
