/** Hashes come in as functions: the domain names the algorithm, the platform computes it natively. */
export interface Digests {
  /** CRC32 of `bytes` continued from `crc` (0 at the start). */
  crc32(bytes: Uint8Array, crc?: number): number;
  /** MD5 as lower-case hex, fed piece by piece. */
  md5(): { update(bytes: Uint8Array): void; hex(): string };
  /** Short hex digest of a text: names files and cut keys. */
  hash(text: string): string;
}
