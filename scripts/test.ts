/** `npm test`: every check and every test, all of them even when one fails, ending in one line that sums them up. */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { add, ending, NOTHING } from "./test/count.ts";
import { runSuite } from "./test/run-suite.ts";
import { allSuites, selectSuites } from "./test/suites.ts";
import { ensureSystemPackages } from "./test/system-packages.ts";

const EXIT_USAGE = 64;

const root = join(import.meta.dirname, "..");

// The bootstrap's variables are not for the programs that tests start.
delete process.env["LAUNCHER_FD"];

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { only: { type: "string" } } });
  const all = allSuites(root);
  const suites = selectSuites(all, values.only);
  if (!suites) {
    console.error(`no suite ${values.only}; there are: checks, ${all.map(({ name }) => name).join(", ")}`);
    return EXIT_USAGE;
  }
  const missing = suites.every(({ kind }) => kind === "check")
    ? undefined
    : await ensureSystemPackages(process.env);
  if (missing) {
    console.error(missing);
    return 1;
  }
  let total = NOTHING;
  for (const suite of suites) total = add(total, await runSuite(root, suite));
  console.log(ending(total));
  return total.failed === 0 ? 0 : 1;
}

process.exitCode = await main();
