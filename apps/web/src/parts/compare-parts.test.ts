import { expect, test } from "vitest";
import { compareObject, compareParts } from "./compare-parts.ts";

const part = (PartNumber: number, ETag: string, Size = 8) => ({ PartNumber, ETag, Size });

test("a part differs by ETag, by size, by being absent on either side; quotes do not matter", () => {
  const recorded = [part(1, "a"), part(2, "b"), part(3, "c"), part(4, "d")];
  const listing = {
    kind: "alive" as const,
    parts: [part(1, '"a"'), part(2, "x"), part(3, "c", 9), part(5, "e")],
  };
  expect(compareParts(recorded, listing)).toEqual({
    kind: "parts",
    same: 1,
    differences: [
      { PartNumber: 2, what: "S3 has ETag x" },
      { PartNumber: 3, what: "S3 has 9 bytes" },
      { PartNumber: 4, what: "recorded, but not in S3" },
      { PartNumber: 5, what: "in S3, not recorded yet" },
    ],
  });
});

test("an upload or object that is gone is said to be gone, never to differ", () => {
  expect(compareParts([part(1, "a")], { kind: "gone" }).kind).toBe("gone");
  expect(compareObject({ size: 1 }, { kind: "missing" }).kind).toBe("gone");
});

test("an object is the same when size, ETag and CRC32 are, as far as both sides know them", () => {
  const head = { kind: "found" as const, object: { size: 8, etag: '"a-1"', crc32: "AAAAAA==" } };
  expect(compareObject({ size: 8, etag: "a-1", crc32: "AAAAAA==" }, head)).toMatchObject({
    kind: "object",
    same: true,
  });
  expect(compareObject({ size: 8, etag: "a-1", crc32: "BBBBBB==" }, head)).toMatchObject({ same: false });
  expect(compareObject({ size: 8 }, head)).toMatchObject({ same: true });
});
