/**
 * `npm run test:stores`: the same suite on every store that can be had here, one after the other. A store that cannot
 * be had is named with the reason; under CI=true that counts as a failure. `-- --write` keeps what the stores answer
 * instead of comparing it with what is kept, and writes the table of docs/reference/stores.md.
 */
import { join } from "node:path";
import { add, checkCount, ending, NOTHING, type Count } from "../../scripts/test/count.ts";
import { runSuite } from "../../scripts/test/run-suite.ts";
import { ensureSystemPackages } from "../../scripts/test/system-packages.ts";
import { keep, readKept, type StoreFile } from "./answers/kept.ts";
import { writePage } from "./answers/page.ts";
import { bringCeph, bringGoProgram, VERSITYGW } from "./programs.ts";

interface Store {
  name: string;
  file: StoreFile;
  /** Undefined: it is there. Otherwise why it cannot be had. */
  bring(): Promise<string | undefined>;
}

const STORES: readonly Store[] = [
  { name: "local-s3", file: "local-s3", bring: () => Promise.resolve(undefined) },
  { name: "VersityGW", file: "versitygw", bring: () => bringGoProgram(VERSITYGW) },
  { name: "Ceph RGW", file: "ceph-rgw", bring: () => bringCeph(process.env) },
];

/** Stores that were wanted and could not be had when this was written; docs/reference/stores.md says so too. */
const NOT_RUN = ["SeaweedFS: `go install` refuses its module, which has replace directives"];

const writes = process.argv.slice(2).includes("--write");
const root = join(import.meta.dirname, "../..");

async function main(): Promise<number> {
  const missing = await ensureSystemPackages(process.env);
  if (writes) process.env["SLUICE_STORES_WRITE"] = "true";
  if (missing !== undefined) {
    console.error(missing);
    return 1;
  }
  let total = NOTHING;
  for (const store of STORES) total = add(total, await runStore(store));
  if (writes) writePage();
  for (const text of NOT_RUN) console.log(`\n── not run: ${text}`);
  console.log(ending(total));
  return total.failed === 0 ? 0 : 1;
}

async function runStore({ name, file, bring }: Store): Promise<Count> {
  const reason = await bring();
  if (reason !== undefined) {
    console.log(`\n── ${name} cannot be had here: ${reason}`);
    return process.env["CI"] === "true" ? checkCount(name, false) : NOTHING;
  }
  const config = "tests/stores/vitest.config.ts";
  const argv = ["node_modules/vitest/vitest.mjs", "run", "--config", config, `${file}.test.ts`];
  const count = await runSuite(root, { name, kind: "vitest", argv });
  const kept = writes ? readKept(file) : undefined;
  if (kept) keep(file, { ...kept, tests: { passed: count.passed, failed: count.failed } });
  return count;
}

process.exitCode = await main();
