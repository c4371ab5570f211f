/** `npm run test:hosts`: past one machine. A Redis Cluster, a Sentinel failover, and two hosts on one shared volume. */
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { ending } from "../../scripts/test/count.ts";
import { runSuite } from "../../scripts/test/run-suite.ts";
import { aptInstall, hasApt } from "../../scripts/start/redis/apt-install.ts";
import { ensureSystemPackages } from "../../scripts/test/system-packages.ts";

const root = join(import.meta.dirname, "../..");

/** Namespaces are made with these, as root on Linux. */
const PROGRAMS = { ip: "iproute2", unshare: "util-linux" } as const;

/** What to tell the user when something is missing and may not be installed. */
async function missing(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const dirs = (env["PATH"] ?? "").split(delimiter);
  const packages = Object.entries(PROGRAMS)
    .filter(([program]) => !dirs.some((dir) => existsSync(join(dir, program))))
    .map(([, name]) => name);
  if (packages.length === 0) return await ensureSystemPackages(env);
  if (env["CI"] !== "true" || process.getuid?.() !== 0 || !hasApt()) {
    return `The tests need ${packages.join(", ")}. Run\n  sudo apt-get install -y ${packages.join(" ")}\nand start them again.`;
  }
  await aptInstall(packages);
  return await ensureSystemPackages(env);
}

async function main(): Promise<number> {
  const text = await missing(process.env);
  if (text !== undefined) {
    console.error(text);
    return 1;
  }
  const argv = ["node_modules/vitest/vitest.mjs", "run", "--config", "tests/hosts/vitest.config.ts"];
  const count = await runSuite(root, { name: "hosts", kind: "vitest", argv });
  console.log(ending(count));
  return count.failed === 0 ? 0 : 1;
}

process.exitCode = await main();
