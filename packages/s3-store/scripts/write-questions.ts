/** Writes the table of questions in docs/reference/stores.md: `pnpm --filter @sluice/s3-store run docs:questions`. */
import { readFileSync, writeFileSync } from "node:fs";
import { withQuestions } from "./questions-page.ts";

const page = new URL("../../../docs/reference/stores.md", import.meta.url);
writeFileSync(page, withQuestions(readFileSync(page, "utf8")));
