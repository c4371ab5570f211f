/** A forwarded header counts only if the peer of the socket is a trusted proxy. */
import { addressOf, addressText, isWithin, networkOf } from "@sluice/config/values/addresses";

export type Trust = (address: string) => boolean;

/** Addresses and CIDR ranges; an IPv4 peer on an IPv6 socket (::ffff:10.0.0.1) is its IPv4 address. */
export function trustOf(entries: readonly string[]): Trust {
  const ranges = entries.map(networkOf).filter((range) => range !== undefined);
  return (text) => {
    const address = addressOf(text);
    return address !== undefined && ranges.some((range) => isWithin(address, range));
  };
}

/**
 * The address the request really came from, in a normalized form: along the chain from the socket outwards, the first
 * hop that is not a trusted proxy. Entries beyond it may be invented by that hop. A hop without an address (`unknown`)
 * ends the walk too: the hop before it is the last known one.
 */
export function clientAddress(peer: string, forwardedFor: string | null, isTrusted: Trust): string {
  const first = addressOf(peer);
  let client = first === undefined ? peer : addressText(first);
  const hops = (forwardedFor ?? "").split(",");
  while (isTrusted(client)) {
    const next = addressOf((hops.pop() ?? "").trim());
    if (next === undefined) break;
    client = addressText(next);
  }
  return client;
}
