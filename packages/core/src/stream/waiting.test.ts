import { describe, expect, it } from "vitest";
import { describeCompletedBy, describeWaiting, parseWaiting, type Waiting } from "./waiting.ts";

const EVERY: Waiting[] = [
  { for: "growth" },
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
  { for: "verify", part: 3, of: 9 },
  { for: "volume", detail: "its root is gone" },
  { for: "store", detail: "AccessDenied: no" },
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
    expect(parseWaiting(JSON.stringify(waiting))).toEqual(waiting);
  });

  it("says when a writer might not be seen", () => {
    expect(EVERY.map(describeWaiting).join("\n")).toContain("is not known: another user");
  });

  it("names the process that holds the file, and one part as one", () => {
    expect(describeWaiting({ for: "writer", pid: 42, command: "ffmpeg" })).toContain("ffmpeg (pid 42)");
    expect(describeWaiting({ for: "parts", count: 1 })).toBe("1 part is still being sent");
  });

  it("is nothing in a record without it, or with something else in its place", () => {
    for (const text of [undefined, "", "null", "7", `{"other":1}`])
      expect(parseWaiting(text)).toBeUndefined();
  });

  it("is shown as it is where another version wrote it otherwise", () => {
    expect(parseWaiting("still growing")).toEqual({ for: "operator", detail: "still growing" });
    const newer = `{"for":"moonrise"}`;
    expect(parseWaiting(newer)).toEqual({ for: "operator", detail: newer });
  });
});

describe("what made a file complete", () => {
  it("is said in words, and another version's word as it is", () => {
    expect(describeCompletedBy("marker")).toBe("a marker file said so");
    expect(describeCompletedBy("toString")).toBe("toString");
  });
});
