/**
 * Under which names an address is counted. Whoever rents one machine holds a /64 of IPv6, and often neighbours of one IPv4
 * address: a limit on single addresses would be passed by taking the next one.
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
  // Where the socket was gone before it could be asked: all of these together.
  if (address === undefined) return { exact: "unknown", wide: "unknown/wide" };
  const [narrow, broad] = isV4(address) ? [32, 24] : [64, 48];
  return { exact: rangeAround(address, narrow), wide: rangeAround(address, broad) };
}
