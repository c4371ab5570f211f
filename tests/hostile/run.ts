/**
 * `npm run test:hostile [-- --write]`: what a stranger, a curious user, a broken proxy, a foreign store or a forged record
 * can send. With `--write` the figures of the run replace those in SECURITY.md.
 */
import { rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ending } from "../../scripts/test/count.ts";
import { runSuite } from "../../scripts/test/run-suite.ts";
import { ensureSystemPackages } from "../../scripts/test/system-packages.ts";
import { FIGURES_FILE, writeFigures } from "./figures.ts";

const root = join(import.meta.dirname, "../..");

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { write: { type: "boolean" } } });
  const missing = await ensureSystemPackages(process.env);
  if (missing !== undefined) {
    console.error(missing);
    return 1;
  }
  const figures = join(tmpdir(), `sluice-figures-${process.pid}`);
  writeFileSync(figures, "");
  process.env[FIGURES_FILE] = figures;
  try {
    const argv = ["node_modules/vitest/vitest.mjs", "run", "--config", "tests/hostile/vitest.config.ts"];
    // The selection of a change takes two minutes at most; a night's has an hour.
    const withinMinutes = process.env["HOSTILE_SHARE"] === undefined ? 6 : 58;
    const count = await runSuite(root, { name: "hostile", kind: "vitest", argv, withinMinutes });
    if (values.write === true && count.failed === 0) writeFigures(figures, join(root, "SECURITY.md"));
    console.log(ending(count));
    return count.failed === 0 ? 0 : 1;
  } finally {
    rmSync(figures, { force: true });
  }
}

process.exitCode = await main();
