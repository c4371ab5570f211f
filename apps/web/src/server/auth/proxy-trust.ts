/** A forwarded header counts only when the peer at the other end of the socket is a trusted proxy. */
import { BlockList, isIP } from "node:net";

export type Trust = (address: string) => boolean;

/** Addresses and CIDR ranges; an IPv4 peer on an IPv6 socket (::ffff:10.0.0.1) is its IPv4 address. */
export function trustOf(entries: readonly string[]): Trust {
  const ranges = new BlockList();
  for (const entry of entries) {
    const [address = "", bits] = entry.split("/");
    const family = isIP(address) === 6 ? "ipv6" : "ipv4";
    if (bits === undefined) ranges.addAddress(address, family);
    else ranges.addSubnet(address, Number(bits), family);
  }
  return (address) => {
    const plain = plainAddress(address);
    const family = isIP(plain);
    return family !== 0 && ranges.check(plain, family === 6 ? "ipv6" : "ipv4");
  };
}

export function plainAddress(address: string): string {
  return address.startsWith("::ffff:") && isIP(address.slice(7)) === 4 ? address.slice(7) : address;
}

/**
 * The address the request really came from: walking the chain from the socket outwards, the first hop that is not a
 * trusted proxy. What stands further out may be invented by that hop.
 */
export function clientAddress(peer: string, forwardedFor: string | null, isTrusted: Trust): string {
  let client = plainAddress(peer);
  const hops = (forwardedFor ?? "")
    .split(",")
    .map((hop) => plainAddress(hop.trim()))
    .filter((hop) => isIP(hop) !== 0);
  while (isTrusted(client)) {
    const next = hops.pop();
    if (next === undefined) break;
    client = next;
  }
  return client;
}
