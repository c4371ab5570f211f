/** Writes the pages that are made from the schema. A test fails while they differ from it. */
import { writeFileSync } from "node:fs";
import { referenceFiles } from "../src/reference/reference-files.ts";

for (const { path, content } of referenceFiles()) writeFileSync(path, content);
