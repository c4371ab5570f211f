/** Writes docs/state-machine.md; `pnpm docs:state`. */
import { writeFileSync } from "node:fs";
import { stateDocs } from "./state-docs.ts";

writeFileSync(new URL("../../../docs/state-machine.md", import.meta.url), stateDocs());
