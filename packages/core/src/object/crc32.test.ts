import { crc32 } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { combineAll, combineCrc32, crc32FromBase64, crc32ToBase64 } from "./crc32.ts";

describe("the CRC32 of a whole from its parts", () => {
  it("equals zlib's, wherever the bytes are split", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 6 }), (pieces) => {
        const whole = Buffer.concat(pieces);
        const parts = pieces.map((piece) => ({ crc: crc32(piece), bytes: piece.length }));
        expect(combineAll(parts)).toBe(crc32(whole));
      }),
    );
  });

  it("equals zlib's over lengths of every order", () => {
    const first = Buffer.alloc(12_345, 7);
    for (const bytes of [1, 255, 65_536, 1_048_577, 9_000_001]) {
      const second = Buffer.alloc(bytes, 3);
      expect(combineCrc32(crc32(first), crc32(second), bytes)).toBe(crc32(second, crc32(first)));
    }
  });

  it("does not care how parts beyond 2^32 bytes are grouped", () => {
    const huge = 5 * 1024 ** 3;
    const left = combineCrc32(combineCrc32(1, 2, huge), 3, huge);
    const right = combineCrc32(1, combineCrc32(2, 3, huge), 2 * huge);
    expect(left).toBe(right);
  });

  it("of nothing is 0, and an empty part changes nothing", () => {
    expect(combineAll([])).toBe(0);
    expect(combineCrc32(0xdeadbeef, 0, 0)).toBe(0xdeadbeef);
  });
});

describe("a CRC32 as S3 writes it", () => {
  it("comes back from its base64", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffffffff }), (crc) => {
        expect(crc32FromBase64(crc32ToBase64(crc))).toBe(crc);
      }),
    );
  });

  it("is big-endian", () => {
    expect(crc32ToBase64(0x01020304)).toBe(Buffer.from([1, 2, 3, 4]).toString("base64"));
  });

  it.each(["", "AAAA", "AAAAAA=", "AAAAAAA=", "!!!!!!==", "AAAAAA==-3", "AAAAAAAA"])(
    "R12: is refused as %j (a composite one among them)",
    (text) => {
      expect(crc32FromBase64(text)).toBeUndefined();
    },
  );
});
