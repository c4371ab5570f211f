/**
 * Where machines in a cloud find their own credentials: link-local addresses, and the few others that clouds chose. No
 * message of ours goes there, in whatever spelling, unless its host was allowed by name.
 */
import { addressOf, isV4, isWithin, networkOf, type Address, type Network } from "./addresses.ts";

const RANGES: readonly Network[] = [
  "169.254.0.0/16",
  "fe80::/10",
  // Alibaba Cloud.
  "100.100.100.200",
  // Oracle Cloud.
  "192.0.0.192",
  // EC2 and Google Cloud by IPv6.
  "fd00:ec2::254",
  "fd20:ce::254",
].flatMap((text) => networkOf(text) ?? []);

/** IPv6 ranges that stand for IPv4: where in the 16 bytes that address is. */
const EMBEDDED: readonly (readonly [Network, at: number])[] = (
  [
    // NAT64: the well-known prefix, and the one for a network's own use.
    ["64:ff9b::/96", 12],
    ["64:ff9b:1::/48", 12],
    // 6to4.
    ["2002::/16", 2],
    // IPv4-compatible, of old.
    ["::/96", 12],
    // IPv4-translated.
    ["::ffff:0:0:0/96", 12],
  ] as const
).flatMap(([text, at]) => {
  const network = networkOf(text);
  return network === undefined ? [] : [[network, at] as const];
});

/** Whether `host`, an address as it stands in a URL or comes from a look-up, is one of them. */
export function isMetadataAddress(host: string): boolean {
  const address = addressOf(host.toLowerCase());
  return address !== undefined && allOf(address).some((one) => RANGES.some((range) => isWithin(one, range)));
}

/** The address itself, and the IPv4 address it may stand for. */
function allOf(address: Address): Address[] {
  if (isV4(address)) return [address];
  const embedded = EMBEDDED.filter(([range]) => isWithin(address, range));
  return [address, ...embedded.map(([, at]) => address.slice(at, at + 4))];
}
