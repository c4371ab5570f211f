/** Writes docs/reference/state-machine.md; `pnpm docs:state`. */
import { writeFileSync } from "node:fs";
import { stateDocs } from "./state-docs.ts";

writeFileSync(new URL("../../../docs/reference/state-machine.md", import.meta.url), stateDocs());
