/** VersityGW, the store of docker-compose.yml. */
import { startVersityGw } from "./servers/versitygw.ts";
import { storeSuite } from "./store-suite.ts";

storeSuite("VersityGW", startVersityGw, {
  checksum: "full-object",
  repeatComplete: true,
  conditionalComplete: true,
  conditionalPut: true,
  objectSizeInComplete: false,
});
