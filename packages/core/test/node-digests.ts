/** The digests as Node computes them, for tests of the domain. */
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import type { Digests } from "../src/ports/digests.ts";

export const nodeDigests: Digests = {
  crc32: (bytes, crc) => crc32(bytes, crc),
  md5: () => {
    const hash = createHash("md5");
    return { update: (bytes) => void hash.update(bytes), hex: () => hash.digest("hex") };
  },
  hash: (text) => createHash("sha256").update(text).digest("hex").slice(0, 32),
};

/**
 * As Node's, with a quick stand-in for MD5 of the same shape (32 hex digits that change with the bytes): tests that move
 * many megabytes ask only that store and worker mean the same thing by it.
 */
export const quickDigests: Digests = {
  ...nodeDigests,
  md5: () => {
    let crc = 0;
    let length = 0;
    return {
      update: (bytes) => {
        crc = crc32(bytes, crc);
        length += bytes.length;
      },
      hex: () => (crc.toString(16).padStart(8, "0") + length.toString(16).padStart(8, "0")).repeat(2),
    };
  },
};
