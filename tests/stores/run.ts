/**
 * `npm run test:stores`: the same suite on one store after the other: those that are run for every change, `-- --all` of
 * them, or `-- --only moto,minio`. A store that cannot be had is named with the reason; under CI=true that counts as a
 * failure. With STORE_ENDPOINT, STORE_ACCESS_KEY_ID and STORE_SECRET_ACCESS_KEY (and STORE_REGION, STORE_BUCKET_PREFIX)
 * it is the store there, and nothing is compared or kept. `-- --write` keeps what the stores answer instead of comparing it with what is kept, and writes the table of
 * docs/reference/stores.md.
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { add, checkCount, ending, NOTHING, type Count } from "../../scripts/test/count.ts";
import { runSuite } from "../../scripts/test/run-suite.ts";
import { ensureSystemPackages } from "../../scripts/test/system-packages.ts";
import { keep, readKept } from "./answers/kept.ts";
import { writePage } from "./answers/page.ts";
import { STORES, yours, type Store } from "./stores.ts";

const EXIT_USAGE = 64;
const { values } = parseArgs({
  options: {
    all: { type: "boolean", default: false },
    only: { type: "string" },
    write: { type: "boolean", default: false },
  },
});
const root = join(import.meta.dirname, "../..");

async function main(): Promise<number> {
  const stores = selected();
  if (stores === undefined) {
    console.error(`--only ${values.only}: there are ${STORES.map(({ file }) => file).join(", ")}`);
    return EXIT_USAGE;
  }
  const missing = await ensureSystemPackages(process.env);
  if (values.write) process.env["SLUICE_STORES_WRITE"] = "true";
  if (missing !== undefined) {
    console.error(missing);
    return 1;
  }
  let total = NOTHING;
  for (const store of stores) total = add(total, await runStore(store));
  if (values.write) writePage();
  console.log(ending(total));
  return total.failed === 0 ? 0 : 1;
}

/** Undefined: a name is unknown. */
function selected(): readonly Store[] | undefined {
  const own = yours(process.env);
  if (own !== undefined) return [own];
  if (values.only === undefined) return values.all ? STORES : STORES.filter(({ always }) => always);
  const names = values.only.split(",");
  const stores = STORES.filter(({ file }) => names.includes(file));
  return stores.length === names.length ? stores : undefined;
}

async function runStore({ name, file, bring, isKept = true }: Store): Promise<Count> {
  const reason = await bring();
  if (reason !== undefined) {
    console.log(`\n── ${name} cannot be had here: ${reason}`);
    return process.env["CI"] === "true" || !isKept ? checkCount(name, false) : NOTHING;
  }
  const config = "tests/stores/vitest.config.ts";
  const argv = ["node_modules/vitest/vitest.mjs", "run", "--config", config, "store.test.ts"];
  process.env["SLUICE_STORE"] = file;
  const count = await runSuite(root, { name, kind: "vitest", argv });
  const kept = values.write && isKept ? readKept(file) : undefined;
  if (kept) keep(file, { ...kept, tests: { passed: count.passed, failed: count.failed } });
  return count;
}

process.exitCode = await main();
