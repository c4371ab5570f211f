/** The five checksum algorithms of S3: how each is computed while streaming and which multipart types it allows. */
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { combineCrcs, CRC_FIELDS, crc32c, crc64nvme } from "./crc.ts";

export type ChecksumType = "COMPOSITE" | "FULL_OBJECT";

export interface RunningChecksum {
  update(data: Uint8Array): void;
  /** Raw bytes, big endian. */
  digest(): Buffer;
}

export const CHECKSUMS = {
  CRC32: { bytes: 4, start: () => running32(crc32), types: ["COMPOSITE", "FULL_OBJECT"] },
  CRC32C: { bytes: 4, start: () => running32(crc32c), types: ["COMPOSITE", "FULL_OBJECT"] },
  CRC64NVME: { bytes: 8, start: running64, types: ["FULL_OBJECT"] },
  SHA1: { bytes: 20, start: () => createHash("sha1"), types: ["COMPOSITE"] },
  SHA256: { bytes: 32, start: () => createHash("sha256"), types: ["COMPOSITE"] },
} as const satisfies Record<
  string,
  { bytes: number; start(): RunningChecksum; types: readonly ChecksumType[] }
>;

export type ChecksumAlgorithm = keyof typeof CHECKSUMS;
export const CHECKSUM_ALGORITHMS = Object.keys(CHECKSUMS) as readonly ChecksumAlgorithm[];

/** Algorithm → base64 of its raw bytes (`<base64>-<parts>` for a composite). */
export type ChecksumValues = Readonly<Partial<Record<ChecksumAlgorithm, string>>>;

export const isAlgorithm = (name: string): name is ChecksumAlgorithm => Object.hasOwn(CHECKSUMS, name);
export const checksumHeader = (algorithm: ChecksumAlgorithm): string =>
  `x-amz-checksum-${algorithm.toLowerCase()}`;
export const checksumElement = (algorithm: ChecksumAlgorithm): string => `Checksum${algorithm}`;

export const allowsType = (algorithm: ChecksumAlgorithm, type: ChecksumType): boolean =>
  (CHECKSUMS[algorithm].types as readonly ChecksumType[]).includes(type);

/** CRC64NVME knows only FULL_OBJECT; all others start as COMPOSITE. */
export const defaultType = (algorithm: ChecksumAlgorithm): ChecksumType => CHECKSUMS[algorithm].types[0];

export interface PartChecksum {
  /** base64 */
  value: string;
  size: number;
}

/** The whole object's checksum from its parts', base64 (with `-N` for a composite). */
export function combineChecksums(
  algorithm: ChecksumAlgorithm,
  type: ChecksumType,
  parts: readonly PartChecksum[],
): string {
  if (type === "COMPOSITE") {
    const whole = CHECKSUMS[algorithm].start();
    for (const part of parts) whole.update(Buffer.from(part.value, "base64"));
    return `${whole.digest().toString("base64")}-${parts.length}`;
  }
  if (algorithm === "SHA1" || algorithm === "SHA256") throw new TypeError(`${algorithm} cannot be combined`);
  const crcs = parts.map((part) => ({
    crc: BigInt(`0x${Buffer.from(part.value, "base64").toString("hex")}`),
    size: part.size,
  }));
  const bytes = CHECKSUMS[algorithm].bytes;
  const hex = combineCrcs(CRC_FIELDS[algorithm], crcs)
    .toString(16)
    .padStart(bytes * 2, "0");
  return Buffer.from(hex, "hex").toString("base64");
}

function running32(append: (data: Uint8Array, crc: number) => number): RunningChecksum {
  let crc = 0;
  return {
    update(data) {
      crc = append(data, crc);
    },
    digest() {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(crc);
      return bytes;
    },
  };
}

function running64(): RunningChecksum {
  let crc = 0n;
  return {
    update(data) {
      crc = crc64nvme(data, crc);
    },
    digest() {
      const bytes = Buffer.alloc(8);
      bytes.writeBigUInt64BE(crc);
      return bytes;
    },
  };
}
