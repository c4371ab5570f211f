/** The tools that run the project: Node and pnpm, each the user's own or a pinned copy below `.sluice/toolchain/`. */
import { execFileSync } from "node:child_process";
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { chooseNode } from "./node-choice.mjs";
import { INTEGRITY, PNPM } from "./pins.mjs";
import { during } from "./progress.mjs";
import { BootstrapError, runQuietly } from "./run.mjs";

/** @typedef {{ node: string, pnpmScript: string, env: NodeJS.ProcessEnv }} Toolchain */

/**
 * @param {string} stateDir `.sluice` of the checkout
 * @returns {Promise<Toolchain>} `pnpmScript` is run by `node`; `env` has that Node first on PATH
 */
export async function bringToolchain(stateDir) {
  const env = writableCaches(stateDir, process.env);
  const choice = chooseNode({
    version: process.versions.node,
    platform: process.platform,
    arch: process.arch,
  });
  if (choice.kind === "none") throw new BootstrapError(choice.because);
  const node = choice.kind === "own" ? process.execPath : await bringNode(stateDir, choice, env);
  const pnpmScript = join(await bring(stateDir, PNPM, env), "bin", "pnpm.mjs");
  const path = [dirname(node), env["PATH"]].filter(Boolean).join(delimiter);
  return { node, pnpmScript, env: { ...env, PATH: path } };
}

/**
 * @param {string} stateDir
 * @param {{ name: string, version: string }} binary
 * @param {NodeJS.ProcessEnv} env
 */
async function bringNode(stateDir, binary, env) {
  const node = join(await bring(stateDir, binary, env), "bin", "node");
  try {
    execFileSync(node, ["--version"], { stdio: "pipe" });
  } catch (cause) {
    throw new BootstrapError(
      `Node ${process.versions.node} is too old, and the Node ${binary.version} from the npm registry does not run on this system: install Node 24 and run the command again`,
      { cause },
    );
  }
  return node;
}

/**
 * Installs one exact package without running any install script. The directory appears under its name only
 * when it is whole, so a killed bootstrap leaves nothing half-installed.
 * @param {string} stateDir
 * @param {{ name: string, version: string }} wanted
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<string>} the directory of the package
 */
export async function bring(stateDir, { name, version }, env) {
  const place = join(stateDir, "toolchain", `${name}-${version}`);
  const installed = join(place, "node_modules", name);
  if (existsSync(installed)) return installed;
  await during(`bringing ${name} ${version} from the npm registry`, async () => {
    const aside = `${place}.${process.pid}`;
    mkdirSync(aside, { recursive: true });
    try {
      writeFileSync(join(aside, "package.json"), '{ "private": true }\n');
      await runQuietly("npm", npmInstall(aside, `${name}@${version}`), { cwd: aside, env });
      checkIntegrity(aside);
      rmSync(place, { recursive: true, force: true });
      renameSync(aside, place);
    } finally {
      rmSync(aside, { recursive: true, force: true });
    }
  });
  return installed;
}

/** @param {string} prefix @param {string} spec */
function npmInstall(prefix, spec) {
  const flags = ["--ignore-scripts", "--include=optional", "--no-audit", "--no-fund", "--no-update-notifier"];
  return ["install", "--prefix", prefix, "--global=false", ...flags, spec];
}

/**
 * npm has checked each tarball against the registry's integrity value; this checks that value against our pin. @param
 * {string} prefix
 */
function checkIntegrity(prefix) {
  const lock = JSON.parse(readFileSync(join(prefix, "node_modules", ".package-lock.json"), "utf8"));
  for (const [path, entry] of Object.entries(lock.packages)) {
    const id = `${path.replace(/^node_modules\//, "")}@${entry.version}`;
    if (INTEGRITY[id] !== undefined && INTEGRITY[id] !== entry.integrity) {
      throw new BootstrapError(
        `the registry's ${id} is not the package this project pins: nothing of it was run`,
      );
    }
  }
}

/**
 * npm and pnpm keep caches in the home directory; a user without a writable one gets them in `.sluice/`.
 * @param {string} stateDir
 * @param {NodeJS.ProcessEnv} env
 * @returns {NodeJS.ProcessEnv}
 */
function writableCaches(stateDir, env) {
  try {
    accessSync(homedir(), constants.W_OK);
    return env;
  } catch {
    const home = join(stateDir, "home");
    mkdirSync(home, { recursive: true });
    return { ...env, HOME: home, npm_config_cache: join(home, ".npm") };
  }
}
