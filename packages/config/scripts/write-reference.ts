/** Writes the pages that are generated from the schema. A test fails when they are out of date. */
import { writeFileSync } from "node:fs";
import { referenceFiles } from "../src/reference/reference-files.ts";

for (const { path, content } of referenceFiles()) writeFileSync(path, content);
