/** Writes the page that is made from the commands. A test fails while it differs from them. */
import { writeFileSync } from "node:fs";
import { CLI_PAGE, cliPage } from "../src/cli/reference-page.ts";

writeFileSync(CLI_PAGE, cliPage());
