/** Computes the CRC32 of a whole object from the CRC32s of its parts, so that no byte is read twice for it. */

/** Reflected polynomial of CRC-32/ISO-HDLC, as in zlib, gzip and S3. */
const POLYNOMIAL = 0xedb88320;

/** CRC of A followed by B, from crc(A), crc(B) and the length of B in bytes. After zlib's crc32_combine. */
export function combineCrc32(first: number, second: number, secondBytes: number): number {
  return (multiply(shiftByBytes(secondBytes), first) ^ second) >>> 0;
}

/** CRC of the concatenated parts; 0 for none, which is also the CRC of an empty object. */
export function combineAll(parts: Iterable<{ crc: number; bytes: number }>): number {
  let whole = 0;
  for (const part of parts) whole = combineCrc32(whole, part.crc, part.bytes);
  return whole;
}

/** x^(8·bytes) modulo the polynomial, by squaring. */
function shiftByBytes(bytes: number): number {
  let result = 0x80000000;
  let power = 0x00800000; // x^8
  for (let left = bytes; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) result = multiply(power, result);
    power = multiply(power, power);
  }
  return result;
}

/** Product of two polynomials modulo POLYNOMIAL, bits reflected: the highest bit is x^0. */
function multiply(a: number, b: number): number {
  let product = 0;
  let left = b;
  for (let mask = 0x80000000; mask !== 0; mask >>>= 1) {
    if ((a & mask) !== 0) product ^= left;
    left = (left & 1) !== 0 ? (left >>> 1) ^ POLYNOMIAL : left >>> 1;
  }
  return product >>> 0;
}

/** S3 writes a CRC32 as base64 of four big-endian bytes. */
export function crc32ToBase64(crc: number): string {
  return btoa(String.fromCharCode((crc >>> 24) & 0xff, (crc >>> 16) & 0xff, (crc >>> 8) & 0xff, crc & 0xff));
}

/** Undefined if the text is not four bytes of base64. */
export function crc32FromBase64(text: string): number | undefined {
  if (!/^[A-Za-z0-9+/]{6}==$/.test(text)) return undefined;
  const bytes = atob(text);
  let crc = 0;
  for (let i = 0; i < 4; i += 1) crc = crc * 256 + bytes.charCodeAt(i);
  return crc;
}

/** In part order; undefined if the CRC of a part is unknown. */
export function wholeCrc(parts: readonly { ChecksumCRC32?: string; Size: number }[]): number | undefined {
  const crcs: { crc: number; bytes: number }[] = [];
  for (const part of parts) {
    const crc = part.ChecksumCRC32 === undefined ? undefined : crc32FromBase64(part.ChecksumCRC32);
    if (crc === undefined) return undefined;
    crcs.push({ crc, bytes: part.Size });
  }
  return combineAll(crcs);
}
