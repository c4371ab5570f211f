/** Writes docs/internals/reliability-matrix.md; `npm run chaos -- --report` does too. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { matrixPage } from "./matrix.ts";

const root = join(import.meta.dirname, "../../..");
writeFileSync(join(root, "docs/internals/reliability-matrix.md"), matrixPage(root));
