/** The embedded store of `npm start`, held to the same as the others. */
import { startLocal } from "./servers/local-s3.ts";
import { storeSuite } from "./store-suite.ts";

storeSuite("local-s3", startLocal, {
  checksum: "full-object",
  repeatComplete: true,
  conditionalComplete: true,
  conditionalPut: true,
  objectSizeInComplete: true,
});
