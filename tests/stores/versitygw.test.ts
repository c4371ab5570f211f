/** VersityGW, the store of docker-compose.yml. */
import { startVersityGw } from "./servers/versitygw.ts";
import { storeSuite } from "./store-suite.ts";

storeSuite({
  name: "VersityGW",
  file: "versitygw",
  from: "Go's module proxy, built once",
  start: startVersityGw,
});
