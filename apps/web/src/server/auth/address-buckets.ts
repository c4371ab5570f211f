/**
 * The keys under which attempts from an address are counted. A single rented machine has a /64 of IPv6, and often
 * several neighbouring IPv4 addresses, so a limit on single addresses could be evaded with the next address.
 */
import { addressOf, isV4, rangeAround } from "@sluice/config/values/addresses";

export interface AddressBuckets {
  /** One subscriber: an IPv4 address, or a /64. */
  exact: string;
  /** Its neighbourhood: a /24, or a /48. */
  wide: string;
}

export function bucketsOf(client: string): AddressBuckets {
  const address = addressOf(client);
  // The socket was closed before its address could be read: all of these are counted together.
  if (address === undefined) return { exact: "unknown", wide: "unknown/wide" };
  const [narrow, broad] = isV4(address) ? [32, 24] : [64, 48];
  return { exact: rangeAround(address, narrow), wide: rangeAround(address, broad) };
}
