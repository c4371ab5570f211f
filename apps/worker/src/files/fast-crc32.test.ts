import { crc32 as zlibCrc32 } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chooseCrc32 } from "./fast-crc32.ts";

describe("CRC32", () => {
  it("is computed by the native module where it is installed", () => {
    expect(chooseCrc32().slowBecause).toBeUndefined();
  });

  it("equals zlib's for any bytes, also when it continues from earlier bytes", () => {
    const { crc32 } = chooseCrc32();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 4_096 }), fc.uint8Array({ maxLength: 64 }), (first, second) => {
        const whole = new Uint8Array([...first, ...second]);
        expect(crc32(second, crc32(first))).toBe(zlibCrc32(whole));
        // Views into a larger buffer are what the worker hands over.
        expect(crc32(whole.subarray(first.length))).toBe(zlibCrc32(second));
      }),
    );
  });

  it("falls back to zlib on a platform without the module, and says why", () => {
    const { crc32, slowBecause } = chooseCrc32(() => {
      throw new Error("Cannot find native binding\nfor this platform");
    });
    expect(slowBecause).toBe("Cannot find native binding");
    expect(crc32(new TextEncoder().encode("6789"), crc32(new TextEncoder().encode("12345")))).toBe(
      0xcbf43926,
    );
  });
});
