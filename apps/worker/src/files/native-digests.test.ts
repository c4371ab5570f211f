import { expect, test } from "vitest";
import { nativeDigests } from "./native-digests.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test("digests are those of the standards' own examples", () => {
  expect(nativeDigests.crc32(bytes("123456789"))).toBe(0xcbf43926);
  const md5 = nativeDigests.md5();
  md5.update(bytes("abc"));
  expect(md5.hex()).toBe("900150983cd24fb0d6963f7d28e17f72");
});

test("a CRC32 goes on from where it stood", () => {
  expect(nativeDigests.crc32(bytes("6789"), nativeDigests.crc32(bytes("12345")))).toBe(0xcbf43926);
});

test("a short hash is the same for the same text and fits into a key", () => {
  expect(nativeDigests.hash("a")).toBe(nativeDigests.hash("a"));
  expect(nativeDigests.hash("a")).not.toBe(nativeDigests.hash("b"));
  expect(nativeDigests.hash("a")).toMatch(/^[0-9a-f]{16}$/);
});
