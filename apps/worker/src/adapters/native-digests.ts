/** The domain's digests, computed by zlib and OpenSSL. */
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import type { Digests } from "@sluice/core";

/** Hex characters of `hash`: 64 bits keep apart the few names that ever meet. */
const SHORT_HASH_LENGTH = 16;

export const nativeDigests: Digests = {
  crc32: (bytes, crc = 0) => crc32(bytes, crc),
  md5() {
    const md5 = createHash("md5");
    return {
      update: (bytes) => void md5.update(bytes),
      hex: () => md5.digest("hex"),
    };
  },
  hash: (text) => createHash("sha256").update(text).digest("hex").slice(0, SHORT_HASH_LENGTH),
};
