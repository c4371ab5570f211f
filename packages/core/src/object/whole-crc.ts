/** The whole object's CRC32 out of what the checkpoint knows of its parts. */
import { combineAll, crc32FromBase64 } from "./crc32.ts";

/** In part order; undefined when one part is not known by CRC. */
export function wholeCrc(parts: readonly { ChecksumCRC32?: string; Size: number }[]): number | undefined {
  const crcs: { crc: number; bytes: number }[] = [];
  for (const part of parts) {
    const crc = part.ChecksumCRC32 === undefined ? undefined : crc32FromBase64(part.ChecksumCRC32);
    if (crc === undefined) return undefined;
    crcs.push({ crc, bytes: part.Size });
  }
  return combineAll(crcs);
}
