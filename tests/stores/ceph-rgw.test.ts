/** Ceph RGW as Debian ships it: MD5 instead of CRC32, an empty ETag at Complete, conditions on Put only. */
import { startCephRgw } from "./servers/ceph-rgw.ts";
import { storeSuite } from "./store-suite.ts";

storeSuite("Ceph RGW", startCephRgw, {
  checksum: "md5",
  repeatComplete: true,
  conditionalComplete: false,
  conditionalPut: true,
  bareEtagInConditions: true,
  objectSizeInComplete: false,
});
