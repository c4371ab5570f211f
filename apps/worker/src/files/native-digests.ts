/** The core's digests, computed by native code. */
import { createHash } from "node:crypto";
import type { Digests } from "@sluice/core";
import { chooseCrc32 } from "./fast-crc32.ts";

/** Hex characters of `hash`: 64 bits are enough for the few names that are ever compared. */
const SHORT_HASH_LENGTH = 16;

const { crc32, slowBecause } = chooseCrc32();

/** Why CRC32 is slow on this platform; undefined if it is not. */
export const slowCrc32Because = slowBecause;

/** An incremental hash; a copy continues from the state of the original. */
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
