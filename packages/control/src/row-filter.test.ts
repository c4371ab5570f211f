import { describe, expect, it } from "vitest";
import { failedRow } from "../test/failed-row.ts";
import { matches } from "./row-filter.ts";
import { lagBytes } from "./stream-row.ts";

const NOW = Date.parse("2026-11-24T12:00:00Z");

describe("a filter", () => {
  it.each([
    ["nothing asked", {}, true],
    ["source", { source: "src" }, true],
    ["another source", { source: "other" }, false],
    ["watch", { watch: "other" }, false],
    ["part of the path", { path: "cam1" }, true],
    ["part of the key", { path: "cam1/a" }, true],
    ["no part of either", { path: "cam2" }, false],
    ["reason", { reasons: ["object_conflict", "access_denied"] }, true],
    ["another reason", { reasons: ["object_conflict"] }, false],
    ["kind", { kinds: new Set(["failed"] as const) }, true],
    ["another kind", { kinds: new Set(["opening"] as const) }, false],
    ["a word of the key, in any case", { words: ["cam1", "a.mkv"] }, true],
    ["a word that is not there", { words: ["cam1", "b.mkv"] }, false],
    ["the view it is in", { view: "failed" as const }, true],
    ["another view", { view: "superseded" as const }, false],
    ["the hour it failed in", { time: "failed" as const, since: NOW - 3_600_000 }, true],
    ["the hour before that", { time: "failed" as const, until: NOW - 3_600_000 }, false],
    ["the day it started on", { since: NOW - 86_400_000, until: NOW }, true],
    ["the day after", { since: NOW }, false],
    ["a time it never came to", { time: "completed" as const, since: 0 }, false],
    ["an hour without activity", { olderThan: 3_600_000 }, true],
    ["more than an hour", { olderThan: 3_600_001 }, false],
  ])("%s", (_, filter, expected) => {
    const times = { started_at_utc: "2026-11-24T09:00:00Z", failed_at_utc: "2026-11-24T11:00:00Z" };
    expect(matches(failedRow(times), filter, NOW)).toBe(expected);
  });

  it("reads the reason out of the status where the field is missing", () => {
    const { failure_reason: _, ...founding } = failedRow({ status: "failed_disk_gone" });
    expect(matches(founding, { reasons: ["disk_gone"] }, NOW)).toBe(true);
  });

  it("counts activity that another clock puts in the future as just now", () => {
    expect([0, 1].map((olderThan) => matches(failedRow(), { olderThan }, NOW - 7_200_000))).toEqual([
      true,
      false,
    ]);
  });

  it("leaves out by age what has no time at all", () => {
    const { last_activity_at_utc: _, ...timeless } = failedRow();
    expect(matches(timeless, { olderThan: 1 }, NOW)).toBe(false);
  });
});

describe("bytes that are only on local disk", () => {
  it("are those past the unbroken run, until the object is sealed", () => {
    expect(lagBytes({ kind: "processing", file_size: 100, bytes_sent: 60 })).toBe(40);
    expect(lagBytes({ kind: "failed", file_size: 100, bytes_sent: 0 })).toBe(100);
    // A small file went up in one Put, without any part.
    expect(lagBytes({ kind: "s3_completed", file_size: 100, bytes_sent: 0 })).toBe(0);
    expect(lagBytes({ kind: "processing", file_size: 10, bytes_sent: 60 })).toBe(0);
  });
});
