/** Hash functions, implemented natively by the platform. */
export interface Digests {
  /** CRC32 of `bytes` continued from `crc` (0 at the start). */
  crc32(bytes: Uint8Array, crc?: number): number;
  /** MD5 as lower-case hex, computed incrementally. */
  md5(): { update(bytes: Uint8Array): void; hex(): string };
  /** Short hex digest of a text, for files and truncated keys. */
  hash(text: string): string;
}
