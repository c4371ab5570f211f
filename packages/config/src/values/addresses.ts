/**
 * Internet addresses as numbers. One address has many spellings (`::ffff:10.0.0.1`, `0:0::1`, `fe80::1%eth0`, with a
 * port), and code that trusts, counts or refuses addresses must treat all of them alike. Node's own parsers read them.
 */
import { isIPv4, isIPv6 } from "node:net";

/** 4 or 16 bytes. */
export type Address = readonly number[];
export interface Network {
  address: Address;
  bits: number;
}

const V4_BYTES = 4;
/** ::ffff:0:0/96: an IPv4 address, written as IPv6. */
const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];
const MAPPED_BITS = MAPPED.length * 8;

/**
 * Parses an address, also in the forms in which some proxies write a hop (`192.0.2.1:5678`, `[2001:db8::1]:443`). A
 * zone names an interface of this machine, not another address, and is ignored; IPv4 written as IPv6 is read as IPv4.
 */
export function addressOf(text: string): Address | undefined {
  const [, bracketed] = /^\[([^\]]+)\](?::\d{1,5})?$/.exec(text) ?? [];
  const [, dotted] = /^(\d+\.\d+\.\d+\.\d+)(?::\d{1,5})?$/.exec(text) ?? [];
  const plain = (bracketed ?? dotted ?? text).replace(/%.*$/s, "");
  // Only four decimal numbers: programs differ in how they read octal or hexadecimal ones.
  if (isIPv4(plain)) return plain.split(".").map(Number);
  if (!isIPv6(plain)) return undefined;
  const bytes = bytesOfV6(plain);
  return MAPPED.every((byte, at) => bytes[at] === byte) ? bytes.slice(MAPPED.length) : bytes;
}

export function isV4(address: Address): boolean {
  return address.length === V4_BYTES;
}

/** An address or a CIDR range. */
export function networkOf(text: string): Network | undefined {
  const [, plain = "", bits] = /^([0-9a-fA-F:.]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const address = isIPv4(plain) || isIPv6(plain) ? addressOf(plain) : undefined;
  if (address === undefined) return undefined;
  const before = isV4(address) && isIPv6(plain) ? MAPPED_BITS : 0;
  const longest = address.length * 8;
  const given = bits === undefined ? longest : Number(bits) - before;
  return given >= 0 && given <= longest ? { address, bits: given } : undefined;
}

export function isWithin(address: Address, { address: base, bits }: Network): boolean {
  if (address.length !== base.length) return false;
  return cut(address, bits).every((byte, at) => byte === cut(base, bits)[at]);
}

/** In a normalized form. */
export function addressText(address: Address): string {
  if (isV4(address)) return address.join(".");
  const groups = Array.from({ length: 8 }, (_, at) =>
    (((address[at * 2] ?? 0) << 8) | (address[at * 2 + 1] ?? 0)).toString(16),
  );
  return canonicalV6(groups.join(":"));
}

/** The range of this many bits that contains the address, in a normalized form. */
export function rangeAround(address: Address, bits: number): string {
  return `${addressText(cut(address, bits))}/${bits}`;
}

/** The first bits of an address, followed by zeros. */
function cut(address: Address, bits: number): number[] {
  return address.map((byte, at) => byte & (0xff00 >> Math.min(8, Math.max(0, bits - at * 8))) & 0xff);
}

function bytesOfV6(text: string): number[] {
  const [front = "", back] = canonicalV6(text).split("::");
  const groups = (part = "") => part.split(":").filter((group) => group !== "");
  const [ahead, behind] = [groups(front), groups(back)];
  const zeros = Array<string>(8 - ahead.length - behind.length).fill("0");
  return [...ahead, ...zeros, ...behind].flatMap((group) => {
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}

/** Lower case, no dots, the longest run of zeros as `::`. */
function canonicalV6(text: string): string {
  return new URL(`http://[${text}]/`).hostname.slice(1, -1);
}
