/** `npm run test:hostile`: what a stranger, a curious user or a broken proxy can send, against the built dashboard. */
import { join } from "node:path";
import { countLine } from "../../scripts/test/count.ts";
import { runSuite } from "../../scripts/test/run-suite.ts";
import { ensureSystemPackages } from "../../scripts/test/system-packages.ts";

const root = join(import.meta.dirname, "../..");

async function main(): Promise<number> {
  const missing = await ensureSystemPackages(process.env);
  if (missing !== undefined) {
    console.error(missing);
    return 1;
  }
  const argv = ["node_modules/vitest/vitest.mjs", "run", "--config", "tests/hostile/vitest.config.ts"];
  const count = await runSuite(root, { name: "hostile", kind: "vitest", argv });
  console.log(`\n${countLine(count)}`);
  return count.failed === 0 ? 0 : 1;
}

process.exitCode = await main();
