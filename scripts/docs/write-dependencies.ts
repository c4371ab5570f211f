/** Writes docs/reference/dependencies.md; `pnpm docs:dependencies`. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { dependenciesPage } from "./dependencies.ts";

writeFileSync(join(import.meta.dirname, "../../docs/reference/dependencies.md"), dependenciesPage());
