/**
 * Addresses at which clouds serve credentials to their machines: link-local addresses, and a few others. No message is
 * sent there, in whatever spelling, unless the host was explicitly allowed.
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

/** IPv6 ranges that contain IPv4 addresses, and the position of that address in the 16 bytes. */
const EMBEDDED: readonly (readonly [Network, at: number])[] = (
  [
    // NAT64: the well-known prefix, and the one for local use.
    ["64:ff9b::/96", 12],
    ["64:ff9b:1::/48", 12],
    // 6to4.
    ["2002::/16", 2],
    // IPv4-compatible (deprecated).
    ["::/96", 12],
    // IPv4-translated.
    ["::ffff:0:0:0/96", 12],
  ] as const
).flatMap(([text, at]) => {
  const network = networkOf(text);
  return network === undefined ? [] : [[network, at] as const];
});

/** Whether `host`, an address from a URL or a look-up, is one of them. */
export function isMetadataAddress(host: string): boolean {
  const address = addressOf(host.toLowerCase());
  return address !== undefined && allOf(address).some((one) => RANGES.some((range) => isWithin(one, range)));
}

/** The address itself, and the IPv4 address it may contain. */
function allOf(address: Address): Address[] {
  if (isV4(address)) return [address];
  const embedded = EMBEDDED.filter(([range]) => isWithin(address, range));
  return [address, ...embedded.map(([, at]) => address.slice(at, at + 4))];
}
