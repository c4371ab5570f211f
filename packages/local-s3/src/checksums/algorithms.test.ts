import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CHECKSUMS, type ChecksumAlgorithm, combineChecksums } from "./algorithms.ts";

function checksum(algorithm: ChecksumAlgorithm, pieces: readonly Uint8Array[]): string {
  const running = CHECKSUMS[algorithm].start();
  for (const piece of pieces) running.update(piece);
  return running.digest().toString("base64");
}

test.each([
  ["CRC32", "cbf43926"],
  ["CRC32C", "e3069283"],
  ["CRC64NVME", "ae8b14860a799888"],
] as const)("%s of 123456789 is the check value of its definition", (algorithm, hex) => {
  expect(checksum(algorithm, [Buffer.from("123456789")])).toBe(Buffer.from(hex, "hex").toString("base64"));
});

describe.each(["CRC32", "CRC32C", "CRC64NVME"] as const)("%s", (algorithm) => {
  const pieces = fc.array(fc.uint8Array({ maxLength: 70 }), { minLength: 1, maxLength: 6 });

  test("does not depend on how the data is cut", () => {
    fc.assert(
      fc.property(pieces, (cut) => {
        expect(checksum(algorithm, cut)).toBe(checksum(algorithm, [Buffer.concat(cut)]));
      }),
    );
  });

  test("of parts combines to that of the whole", () => {
    const large = [randomBytes(1_000_003), randomBytes(1_000_003), randomBytes(17)];
    const combined = (parts: readonly Uint8Array[]): string =>
      combineChecksums(
        algorithm,
        "FULL_OBJECT",
        parts.map((part) => ({ value: checksum(algorithm, [part]), size: part.length })),
      );
    fc.assert(
      fc.property(pieces, (parts) => {
        expect(combined(parts)).toBe(checksum(algorithm, parts));
      }),
    );
    expect(combined(large)).toBe(checksum(algorithm, large));
  });
});
