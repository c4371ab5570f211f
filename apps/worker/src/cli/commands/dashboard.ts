/** `sluice dashboard`: the dashboard that was built beside this command line. From then on the process is its server. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Command } from "commander";
import { EXIT } from "../exit-codes.ts";

const START = join(import.meta.dirname, "../../../../web/start.mjs");
const ABSENT =
  "this installation has no dashboard: the worker's image holds the worker alone, the dashboard has its own";

export function addDashboard(program: Command): void {
  program
    .command("dashboard")
    .description("serve the dashboard; settings come from the environment and the settings file")
    .action(async () => {
      if (existsSync(START)) {
        await import(pathToFileURL(START).href);
        return;
      }
      process.stderr.write(`${ABSENT}\n`);
      process.exitCode = EXIT.usage;
    });
}
