/** Reflected CRCs: CRC32C and CRC64NVME over bytes (CRC32 is zlib's), and the combination of CRCs of adjoining parts. */
const CRC32C_POLYNOMIAL = 0x82f63b78;
const CRC64NVME_POLYNOMIAL = 0x9a6c9329ac4bc9b5n;

/** Slicing by eight: table[k*256 + b] is the CRC of byte b followed by k zero bytes. */
function table32(polynomial: number): Uint32Array {
  const table = new Uint32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
    table[byte] = crc;
  }
  for (let at = 256; at < table.length; at++) {
    const crc = table[at - 256]!;
    table[at] = (crc >>> 8) ^ table[crc & 0xff]!;
  }
  return table;
}

const crc32cTable = table32(CRC32C_POLYNOMIAL);

/** CRC32C (Castagnoli) of data appended to data whose CRC32C is `crc`. */
export function crc32c(data: Uint8Array, crc = 0): number {
  const t = crc32cTable;
  let c = ~crc;
  let at = 0;
  const end8 = data.length - 7;
  for (; at < end8; at += 8) {
    c ^= data[at]! | (data[at + 1]! << 8) | (data[at + 2]! << 16) | (data[at + 3]! << 24);
    c =
      t[1792 + (c & 0xff)]! ^
      t[1536 + ((c >>> 8) & 0xff)]! ^
      t[1280 + ((c >>> 16) & 0xff)]! ^
      t[1024 + (c >>> 24)]! ^
      t[768 + data[at + 4]!]! ^
      t[512 + data[at + 5]!]! ^
      t[256 + data[at + 6]!]! ^
      t[data[at + 7]!]!;
  }
  for (; at < data.length; at++) c = (c >>> 8) ^ t[(c ^ data[at]!) & 0xff]!;
  return ~c >>> 0;
}

interface Table64 {
  high: Uint32Array;
  low: Uint32Array;
}

function table64(polynomial: bigint): Table64 {
  const high = new Uint32Array(8 * 256);
  const low = new Uint32Array(8 * 256);
  for (let at = 0; at < 8 * 256; at++) {
    let crc = BigInt(at & 0xff);
    if (at < 256) {
      for (let bit = 0; bit < 8; bit++) crc = crc & 1n ? (crc >> 1n) ^ polynomial : crc >> 1n;
    } else {
      const before = (BigInt(high[at - 256]!) << 32n) | BigInt(low[at - 256]!);
      const index = Number(before & 0xffn);
      crc = (before >> 8n) ^ ((BigInt(high[index]!) << 32n) | BigInt(low[index]!));
    }
    high[at] = Number(crc >> 32n);
    low[at] = Number(crc & 0xffffffffn);
  }
  return { high, low };
}

let crc64Table: Table64 | undefined;

/**
 * CRC64NVME of data appended to data whose CRC64NVME is `crc`; computed in halves, because BigInt per byte is far too
 * slow.
 */
export function crc64nvme(data: Uint8Array, crc = 0n): bigint {
  crc64Table ??= table64(CRC64NVME_POLYNOMIAL);
  const { high, low } = crc64Table;
  let h = ~Number(crc >> 32n);
  let l = ~Number(crc & 0xffffffffn);
  let at = 0;
  const end8 = data.length - 7;
  for (; at < end8; at += 8) {
    l ^= data[at]! | (data[at + 1]! << 8) | (data[at + 2]! << 16) | (data[at + 3]! << 24);
    h ^= data[at + 4]! | (data[at + 5]! << 8) | (data[at + 6]! << 16) | (data[at + 7]! << 24);
    const a = 1792 + (l & 0xff);
    const b = 1536 + ((l >>> 8) & 0xff);
    const c = 1280 + ((l >>> 16) & 0xff);
    const d = 1024 + (l >>> 24);
    const e = 768 + (h & 0xff);
    const f = 512 + ((h >>> 8) & 0xff);
    const g = 256 + ((h >>> 16) & 0xff);
    const i = h >>> 24;
    h = high[a]! ^ high[b]! ^ high[c]! ^ high[d]! ^ high[e]! ^ high[f]! ^ high[g]! ^ high[i]!;
    l = low[a]! ^ low[b]! ^ low[c]! ^ low[d]! ^ low[e]! ^ low[f]! ^ low[g]! ^ low[i]!;
  }
  for (; at < data.length; at++) {
    const index = (l ^ data[at]!) & 0xff;
    l = ((l >>> 8) | (h << 24)) ^ low[index]!;
    h = (h >>> 8) ^ high[index]!;
  }
  return (BigInt(~h >>> 0) << 32n) | BigInt(~l >>> 0);
}

export interface CrcField {
  bits: bigint;
  polynomial: bigint;
}
export const CRC_FIELDS = {
  CRC32: { bits: 32n, polynomial: 0xedb88320n },
  CRC32C: { bits: 32n, polynomial: BigInt(CRC32C_POLYNOMIAL) },
  CRC64NVME: { bits: 64n, polynomial: CRC64NVME_POLYNOMIAL },
} as const satisfies Record<string, CrcField>;

/** Product of two polynomials modulo the CRC's, in reflected bit order (the highest bit is x^0). */
function multiply(field: CrcField, a: bigint, b: bigint): bigint {
  let product = 0n;
  for (let bit = 1n << (field.bits - 1n); bit > 0n; bit >>= 1n) {
    if (a & bit) product ^= b;
    b = b & 1n ? (b >> 1n) ^ field.polynomial : b >> 1n;
  }
  return product;
}

/** x^(8·bytes): what a CRC is multiplied by when that many bytes follow. */
function shiftBy(field: CrcField, bytes: number): bigint {
  let power = 1n << (field.bits - 1n - 8n);
  let shift = 1n << (field.bits - 1n);
  for (let left = BigInt(bytes); left > 0n; left >>= 1n) {
    if (left & 1n) shift = multiply(field, shift, power);
    power = multiply(field, power, power);
  }
  return shift;
}

/** The CRC of all parts laid end to end. Parts mostly share one size, so the shift of a size is computed once. */
export function combineCrcs(field: CrcField, parts: readonly { crc: bigint; size: number }[]): bigint {
  const shifts = new Map<number, bigint>();
  let whole = 0n;
  for (const part of parts) {
    let shift = shifts.get(part.size);
    if (shift === undefined) shifts.set(part.size, (shift = shiftBy(field, part.size)));
    whole = multiply(field, shift, whole) ^ part.crc;
  }
  return whole;
}
