/** Writes docs/reference/cli.md from the commands' definitions. A test fails when the page is out of date. */
import { writeFileSync } from "node:fs";
import { CLI_PAGE, cliPage } from "../src/cli/reference-page.ts";

writeFileSync(CLI_PAGE, cliPage());
