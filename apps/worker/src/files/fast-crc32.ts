/**
 * CRC32 with the processor's carry-less multiplication: a native module if npm has one for this platform (glibc and
 * musl, x64 and arm64, macOS, Windows), else zlib's table, which takes about five times as long.
 */
import { createRequire } from "node:module";
import { crc32 as zlibCrc32 } from "node:zlib";

export type Crc32 = (bytes: Uint8Array, crc?: number) => number;

export interface Crc32Choice {
  crc32: Crc32;
  /** Why the native module is not used, from the loader's error; absent if it is used. */
  slowBecause?: string;
}

const require = createRequire(import.meta.url);

/** `native`: loads the module, and throws on platforms without one. */
export function chooseCrc32(native: () => { crc32: Crc32 } = loadNative): Crc32Choice {
  try {
    return { crc32: native().crc32 };
  } catch (error) {
    return {
      crc32: (bytes, crc = 0) => zlibCrc32(bytes, crc),
      slowBecause: error instanceof Error ? (error.message.split("\n")[0] ?? error.name) : String(error),
    };
  }
}

function loadNative(): { crc32: Crc32 } {
  // Required, not imported: a missing optional native module must not stop the worker from starting.
  return require("@node-rs/crc32") as { crc32: Crc32 };
}
