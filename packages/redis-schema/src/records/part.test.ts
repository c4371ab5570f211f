import { describe, expect, test } from "vitest";
import { formatPart, parseParts } from "./part.ts";

const part = (n: number, over: object = {}) =>
  JSON.stringify({ PartNumber: n, ETag: `e${n}`, Size: 5, ...over });

describe("parts", () => {
  test("come back as they were written, with the contract's names in the contract's order", () => {
    const whole = {
      PartNumber: 1,
      ETag: "abc",
      Size: 5,
      Offset: 0,
      ChecksumCRC32: "AAAAAA==",
      UploadedAt: "2026-11-24T10:00:00.000Z",
      Attempts: 2,
      DurationMs: 31.5,
      Copied: true as const,
    };
    const shuffled = Object.fromEntries(Object.entries(whole).toReversed());
    expect(formatPart(shuffled as unknown as typeof whole)).toBe(JSON.stringify(whole));
    expect(parseParts({ "1": formatPart(whole) })).toEqual({ parts: new Map([[1, whole]]), bad: [] });
  });

  test("of the founding phase get their offsets from the run of sizes, and lose the quotes of their ETags", () => {
    const { parts, bad } = parseParts({
      "2": part(2, { Size: 7 }),
      "1": part(1, { ETag: '"q"' }),
      "3": part(3),
    });
    expect(bad).toEqual([]);
    expect([...parts.values()].map(({ PartNumber, ETag, Offset }) => [PartNumber, ETag, Offset])).toEqual([
      [1, "q", 0],
      [2, "e2", 5],
      [3, "e3", 12],
    ]);
  });

  test("past a gap keep the offset they have; without one they are left out and named", () => {
    const { parts, bad } = parseParts({
      "1": part(1),
      "3": part(3, { Offset: 10 }),
      "4": part(4),
      "6": part(6),
    });
    expect([...parts.keys()]).toEqual([1, 3, 4]);
    expect(parts.get(4)?.Offset).toBe(15);
    expect(bad).toEqual([{ field: "6", detail: "its offset is unknown: parts before it are missing" }]);
  });

  test.each([
    ["not JSON", "{"],
    ["PartNumber", part(0)],
    ["PartNumber", part(10_001)],
    ["ETag", part(7, { ETag: "" })],
    ["ETag", part(7, { ETag: '""' })],
    ["Size", part(7, { Size: -1 })],
    ["Size", part(7, { Size: 1.5 })],
    ["Offset", part(7, { Offset: "0" })],
    ["ChecksumCRC32", part(7, { ChecksumCRC32: "short" })],
    ["PartNumber differs from its field", part(8)],
    ["value", "null"],
  ])("that cannot be read (%s) are left out and named; the others stay", (detail, text) => {
    const { parts, bad } = parseParts({ "1": part(1), "7": text });
    expect([...parts.keys()]).toEqual([1]);
    expect(bad).toEqual([{ field: "7", detail: expect.stringContaining(detail) }]);
  });
});
