/** The domain's digests, computed by native code. */
import { createHash } from "node:crypto";
import type { Digests } from "@sluice/core";
import { chooseCrc32 } from "./fast-crc32.ts";

/** Hex characters of `hash`: 64 bits keep apart the few names that ever meet. */
const SHORT_HASH_LENGTH = 16;

const { crc32, slowBecause } = chooseCrc32();

/** Why CRC32 is computed slowly on this platform; undefined when it is not. */
export const slowCrc32Because = slowBecause;

/** Hashes what it is fed; a copy continues from where the original is. */
export interface RunningHash {
  update(bytes: Uint8Array): unknown;
  copy(): RunningHash;
  digest(encoding: "hex"): string;
}

export interface NativeDigests extends Digests {
  sha256(): RunningHash;
}

export const nativeDigests: NativeDigests = {
  crc32,
  md5() {
    const md5 = createHash("md5");
    return {
      update: (bytes) => void md5.update(bytes),
      hex: () => md5.digest("hex"),
    };
  },
  sha256: () => createHash("sha256"),
  hash: (text) => createHash("sha256").update(text).digest("hex").slice(0, SHORT_HASH_LENGTH),
};
