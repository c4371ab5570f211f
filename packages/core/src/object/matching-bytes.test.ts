import { describe, expect, it } from "vitest";
import { sampleBytes } from "../testing/test-values.ts";
import { compareCells, countedBytes, judgeTally } from "./matching-bytes.ts";

describe("D1a: whether an earlier object is still in the file", () => {
  it.each([
    ["all of it", { equal: 100, counted: 100, unread: 0 }, "matches"],
    ["exactly half", { equal: 50, counted: 100, unread: 0 }, "matches"],
    ["less than half", { equal: 49, counted: 100, unread: 0 }, "another"],
    ["nothing of it", { equal: 0, counted: 100, unread: 0 }, "another"],
    ["an object that says nothing, or is empty", { equal: 0, counted: 0, unread: 0 }, "matches"],
    ["half, whatever the unread bytes are", { equal: 60, counted: 60, unread: 60 }, "matches"],
    ["not even with every unread byte", { equal: 0, counted: 100, unread: 60 }, "another"],
    ["the unread bytes decide", { equal: 10, counted: 60, unread: 60 }, "open"],
    ["nothing was read yet", { equal: 0, counted: 0, unread: 60 }, "open"],
  ] as const)("%s: %s", (_case, tally, verdict) => {
    expect(judgeTally(tally)).toBe(verdict);
  });
});

describe("bytes that stand where they stood", () => {
  const object = sampleBytes(4096, 1);

  it("are counted around a byte that changed", () => {
    const file = object.slice();
    file[100] = (file[100] ?? 0) ^ 1;
    expect(compareCells(object, file)).toEqual({ equal: 4080, counted: 4096 });
  });

  it("do not count where the object holds one repeated byte, whatever the file holds now", () => {
    const preallocated = object.slice();
    preallocated.fill(0, 1024);
    expect(compareCells(preallocated, object)).toEqual({ equal: 1024, counted: 1024 });
    expect(countedBytes(preallocated)).toBe(1024);
  });

  it("count against the file where it holds one repeated byte now", () => {
    expect(compareCells(object, new Uint8Array(4096))).toEqual({ equal: 0, counted: 4096 });
  });

  it("are not those that agree by chance: every second byte of quiet sound is 0", () => {
    const quiet = (seed: number) => sampleBytes(4096, seed).map((byte, at) => (at % 2 === 0 ? byte : 0));
    const { equal } = compareCells(quiet(1), quiet(77));
    expect(equal).toBeLessThan(1024);
  });

  it("are counted to the last byte of an object that ends within a cell", () => {
    expect(compareCells(object.subarray(0, 21), object)).toEqual({ equal: 21, counted: 21 });
  });
});
