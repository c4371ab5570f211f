/**
 * `npm run test:upgrade [-- --from <tag or commit>]`: a recording that one version began is completed by another, forwards and
 * back, between the last release and this checkout. Before the first release there is nothing to compare with, which is said.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { bringToolchain } from "../../scripts/bootstrap/toolchain.mjs";
import { ending } from "../../scripts/test/count.ts";
import { runSuite } from "../../scripts/test/run-suite.ts";
import { ensureSystemPackages } from "../../scripts/test/system-packages.ts";

const root = join(import.meta.dirname, "../..");

/** Its checkout, with what its worker needs. Brought once for each commit. */
async function bringVersion(commit: string): Promise<string> {
  const home = join(root, ".sluice/upgrade", commit);
  const isWhole = join(home, ".whole");
  if (existsSync(isWhole)) return home;
  rmSync(home, { recursive: true, force: true });
  mkdirSync(home, { recursive: true });
  const archive = execFileSync("git", ["archive", "--format=tar", commit], {
    cwd: root,
    maxBuffer: 512 * 1024 * 1024,
  });
  execFileSync("tar", ["-x", "-C", home], { input: archive });
  const { node, pnpmScript, env } = await bringToolchain(join(root, ".sluice"));
  const options = ["--prod", "--frozen-lockfile", "--ignore-scripts", "--filter", "@sluice/worker..."];
  execFileSync(node, [pnpmScript, "install", ...options], {
    cwd: home,
    env: { ...env, CI: "true" },
    stdio: "pipe",
  });
  writeFileSync(isWhole, "");
  return home;
}

const git = (...args: string[]): string =>
  spawnSync("git", args, { cwd: root, encoding: "utf8" }).stdout.trim();

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { from: { type: "string" } } });
  const from = values.from ?? git("describe", "--tags", "--abbrev=0", "--match", "v[0-9]*");
  if (from === "") {
    console.log("There is no release to upgrade from yet: --from <commit> names another version.");
    console.log("\n0 passed, 0 failed");
    return 0;
  }
  const commit = git("rev-parse", "--verify", "--quiet", `${from}^{commit}`);
  const lacks =
    commit === "" ? `${from} is no version of this repository` : await ensureSystemPackages(process.env);
  if (lacks !== undefined) {
    console.error(lacks);
    return 1;
  }
  process.env["UPGRADE_FROM"] = await bringVersion(commit);
  console.log(`from ${from} (${commit.slice(0, 12)}) to this checkout, and back`);
  const argv = ["node_modules/vitest/vitest.mjs", "run", "--config", "tests/upgrade/vitest.config.ts"];
  const count = await runSuite(root, { name: "upgrade", kind: "vitest", argv });
  console.log(ending(count));
  return count.failed === 0 ? 0 : 1;
}

process.exitCode = await main();
