/** The embedded store of `npm start`, held to the same as the others. */
import { startLocal } from "./servers/local-s3.ts";
import { storeSuite } from "./store-suite.ts";

storeSuite({ name: "local-s3", file: "local-s3", from: "this repository", start: startLocal });
