import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nodeDigests } from "../../test/node-digests.ts";
import {
  MAX_KEY_BYTES,
  MAX_METADATA_NUMBER,
  looksLikeMetadataKey,
  metadataKey,
  numberedKey,
  objectKey,
  takenKeys,
} from "./object-key.ts";
import { decodePath } from "../stream/raw-path.ts";

const { hash } = nodeDigests;
const key = (path: string, prefix = ""): string => objectKey(prefix, path, hash);
const length = (text: string): number => Buffer.byteLength(text);

describe("the key of a file", () => {
  it.each([
    ["plain", "a/b c.mp4", "a/b c.mp4"],
    ["F26: other scripts and emoji unchanged", "ŠČ/日本/🎬.mov", "ŠČ/日本/🎬.mov"],
    ["a literal percent unchanged", "100%.csv", "100%.csv"],
    ["F25: bytes that are not UTF-8 as %XX", decodePath(Uint8Array.of(0x61, 0xff)), "a%FF"],
    ["S40: control characters as %XX, tab and line feed unchanged", "a\u0001\t\n\r\u007f", "a%01\t\n%0D%7F"],
    ["S40: what XML cannot carry as %XX of its UTF-8", "a\uffff", "a%EF%BF%BF"],
  ])("is %s", (_case, path, expected) => {
    expect(key(path)).toBe(expected);
  });

  it("follows the prefix, which may be empty", () => {
    expect(key("a.bin", "cam1/")).toBe("cam1/a.bin");
    expect(key("a.bin", "")).toBe("a.bin");
  });

  it("S40: over 1,024 bytes is cut within a whole character, ends in its hash, and leaves room for the metadata's", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("x", "é", "日", "🎬"),
        fc.integer({ min: 200, max: 1_200 }),
        (char, count) => {
          const result = key(char.repeat(count));
          expect(length(metadataKey(result))).toBeLessThanOrEqual(MAX_KEY_BYTES);
          expect(result.isWellFormed()).toBe(true);
          const whole = char.repeat(count);
          expect(result === whole || result.endsWith(`~${hash(whole)}`)).toBe(true);
        },
      ),
    );
  });

  it("S40: two long paths that differ only at their end have two keys", () => {
    const stem = "d/".repeat(600);
    expect(key(`${stem}a.bin`)).not.toBe(key(`${stem}b.bin`));
  });

  it("F25: two paths of bytes that are not UTF-8 have two keys", () => {
    expect(key("\udc80")).not.toBe(key("\udc81"));
  });
});

describe("a numbered key", () => {
  it.each([
    ["a.bin", 1, "a.bin"],
    ["a.bin", 2, "a-2.bin"],
    ["dir.d/a", 3, "dir.d/a-3"],
    ["dir/.hidden", 2, "dir/.hidden-2"],
    ["a.tar.gz", 2, "a.tar-2.gz"],
  ])("%s for try %i is %s", (base, attempt, expected) => {
    expect(numberedKey(base, attempt, hash)).toBe(expected);
  });

  it("of a key that has no room left fits, and differs from try to try", () => {
    const base = key(`${"x".repeat(1_100)}.bin`);
    const tries = [1, 2, 3].map((attempt) => numberedKey(base, attempt, hash));
    expect(new Set(tries).size).toBe(3);
    for (const one of tries) expect(length(metadataKey(one))).toBeLessThanOrEqual(MAX_KEY_BYTES);
  });
});

describe("the names of a metadata object", () => {
  it("D3c: are numbered past those that others have, and each is known for what it may be", () => {
    expect([1, 2, 3].map((number) => metadataKey("a.mp4", number))).toEqual([
      "a.mp4.metadata.json",
      "a.mp4.metadata-2.json",
      "a.mp4.metadata-3.json",
    ]);
    for (const number of [1, 2, 31]) expect(looksLikeMetadataKey(metadataKey("x/a.mp4", number))).toBe(true);
    for (const other of ["a.mp4", "metadata.json", "a.metadata.json.gz", "a.metadata-.json"])
      expect(looksLikeMetadataKey(other)).toBe(false);
  });

  it("D3c: leave room for every number", () => {
    const longest = objectKey("", "x".repeat(2_000), hash);
    expect(length(metadataKey(longest, MAX_METADATA_NUMBER))).toBe(MAX_KEY_BYTES);
  });

  it("D3c: are taken as the record names them", () => {
    expect(takenKeys({ s3_bucket: "b" })).toEqual([]);
    expect(takenKeys({ s3_bucket: "b", s3_key: "a" })).toEqual(["b/a", "b/a.metadata.json"]);
    expect(takenKeys({ s3_bucket: "b", s3_key: "a", s3_metadata_key: "a.metadata-2.json" })).toEqual([
      "b/a",
      "b/a.metadata-2.json",
    ]);
  });
});
