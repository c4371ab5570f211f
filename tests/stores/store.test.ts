/** Ceph RGW as Debian ships it: MD5 instead of CRC32, an empty ETag at Complete, conditions on Put only. */
import { startCephRgw } from "./servers/ceph-rgw.ts";
import { storeSuite } from "./store-suite.ts";

storeSuite({ name: "Ceph RGW", file: "ceph-rgw", from: "Debian's packages", start: startCephRgw });
