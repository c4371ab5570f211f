/** The suite on the store that `run.ts` names. */
import { storeOf } from "./stores.ts";
import { storeSuite } from "./store-suite.ts";

storeSuite(storeOf(process.env));
