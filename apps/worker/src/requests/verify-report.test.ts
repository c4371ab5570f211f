import { crc32 } from "node:zlib";
import { crc32ToBase64, type StoredObject } from "@sluice/core";
import { describe, expect, it } from "vitest";
import { checkHead, verdictOf, wholeCrc, type Check, type Expected } from "./verify-report.ts";

const FIRST = Buffer.from("the first part, ");
const SECOND = Buffer.from("and the second");
const WHOLE = crc32ToBase64(crc32(Buffer.concat([FIRST, SECOND])));
const part = (bytes: Buffer) => ({ Size: bytes.length, ChecksumCRC32: crc32ToBase64(crc32(bytes)) });

const EXPECTED: Expected = {
  bucket: "b",
  key: "k",
  size: FIRST.length + SECOND.length,
  etag: "abc-2",
  crc32: WHOLE,
  parts: [part(FIRST), part(SECOND)],
};

function head(over: Partial<StoredObject> = {}) {
  const object: StoredObject = { size: EXPECTED.size, etag: "abc-2", crc32: WHOLE, metadata: {}, ...over };
  return { kind: "found" as const, object };
}

const results = (checks: readonly Check[]) => Object.fromEntries(checks.map(({ name, ok }) => [name, ok]));

describe("an object and its record", () => {
  it("agree when size, ETag, CRC32 and the parts' combined CRC32 do", () => {
    const checks = checkHead(EXPECTED, head());
    expect(results(checks)).toEqual({ object: true, size: true, etag: true, crc32: true, parts: true });
    expect(verdictOf(checks)).toEqual({ ok: true, words: "as recorded: object, size, etag, crc32, parts" });
  });

  it.each([
    ["size", { size: 7 }, /^size: is 7 bytes, recorded is 30/],
    ["etag", { etag: "xyz" }, /^etag: is xyz, recorded is abc-2/],
    ["crc32", { crc32: "AAAAAA==" }, /^crc32: is AAAAAA==/],
  ])("differ by %s", (name, object, words) => {
    const checks = checkHead(EXPECTED, head(object));
    expect(results(checks)[name]).toBe(false);
    expect(verdictOf(checks)).toEqual({ ok: false, words: expect.stringMatching(words) });
  });

  it("differ when there is no object", () => {
    const checks = checkHead(EXPECTED, { kind: "missing" });
    expect(results(checks)).toEqual({ object: false, parts: true });
    expect(verdictOf(checks).ok).toBe(false);
  });

  it("are not said to agree where the store says nothing", () => {
    expect(results(checkHead(EXPECTED, { kind: "unknown" }))["object"]).toBeNull();
  });

  it("compare the parts' CRC32 where the record has none of the whole", () => {
    const { crc32: _, ...without } = EXPECTED;
    expect(wholeCrc(without)).toBe(WHOLE);
    expect(results(checkHead(without, head()))).toMatchObject({ crc32: true, parts: true });
  });

  it("leave out what was not recorded", () => {
    const { size, bucket, key } = EXPECTED;
    const checks = checkHead({ bucket, key, size, parts: [] }, head());
    expect(results(checks)).toEqual({ object: true, size: true, etag: null, crc32: null, parts: null });
  });

  it("differ when the recorded parts are not the recorded object", () => {
    const short = checkHead({ ...EXPECTED, parts: [part(FIRST)] }, head());
    expect(verdictOf(short).words).toContain("parts: hold 16 bytes; 30 are recorded");
    const swapped = checkHead({ ...EXPECTED, parts: [part(SECOND), part(FIRST)] }, head());
    expect(verdictOf(swapped).words).toContain("parts: combine to the CRC32");
  });

  it("with nothing to compare are not called the same", () => {
    expect(verdictOf([{ name: "etag", ok: null, detail: "none was recorded" }]).ok).toBe(false);
  });
});
