/** Prepares a checkout so that its commands can run, and does only what has changed since its last success. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { withLock } from "../lib/lock.mjs";
import { PNPM } from "./pins.mjs";
import { during, say } from "./progress.mjs";
import { runQuietly } from "./run.mjs";
import { hashInputs, inputsUnder, isStamped, removeStamp, writeStamp } from "./stamps.mjs";
import { bringToolchain } from "./toolchain.mjs";

/** The inputs of the dashboard's bundle. */
const WEB_INPUTS = [
  "apps/web",
  "packages/config",
  "packages/control",
  "packages/core",
  "packages/redis-schema",
  "packages/webhooks",
  "pnpm-lock.yaml",
  "tsconfig.base.json",
];
const WEB_SERVER = "apps/web/.next/standalone/apps/web/server.js";

/**
 * @param {string} root the checkout
 * @param {{ web: boolean }} needs whether the command runs the built dashboard
 * @returns {Promise<import("./toolchain.mjs").Toolchain>}
 */
export async function prepare(root, needs) {
  const stateDir = join(root, ".sluice");
  const toolchain = await bringToolchain(stateDir);
  const steps = [dependencies(root, toolchain), ...(needs.web ? [dashboard(root, toolchain)] : [])];
  if (steps.every((step) => step.isDone())) return toolchain;
  const work = async () => {
    for (const step of steps) {
      if (step.isDone()) continue;
      removeStamp(step.stampFile);
      const hash = step.hash();
      await during(step.what, step.work);
      writeStamp(step.stampFile, hash);
    }
  };
  await withLock(join(stateDir, "prepare.lock"), work, ({ pid }) =>
    say(`another command (pid ${pid}) is preparing this checkout: waiting for it`),
  );
  return toolchain;
}

/**
 * @param {string} root
 * @param {import("./toolchain.mjs").Toolchain} toolchain
 */
function dependencies(root, { node, pnpmScript, env }) {
  const stampFile = join(root, ".sluice", "stamps", "dependencies");
  const hash = () => hashInputs(root, manifests(root), [PNPM.version, process.platform, process.arch]);
  return {
    what: "installing dependencies",
    stampFile,
    hash,
    isDone: () => existsSync(join(root, "node_modules", ".modules.yaml")) && isStamped(stampFile, hash()),
    work: () =>
      runQuietly(node, [pnpmScript, "install", "--frozen-lockfile", "--config.confirmModulesPurge=false"], {
        cwd: root,
        env,
      }),
  };
}

/**
 * @param {string} root
 * @param {import("./toolchain.mjs").Toolchain} toolchain
 */
function dashboard(root, { node, pnpmScript, env }) {
  const stampFile = join(root, ".sluice", "stamps", "dashboard");
  const inputs = () => WEB_INPUTS.flatMap((path) => inputsUnder(join(root, path)));
  const hash = () => hashInputs(root, inputs());
  return {
    what: "building the dashboard",
    stampFile,
    hash,
    isDone: () => existsSync(join(root, WEB_SERVER)) && isStamped(stampFile, hash()),
    work: () =>
      runQuietly(node, [pnpmScript, "--filter", "@sluice/web", "build"], {
        cwd: root,
        env: { ...env, NEXT_TELEMETRY_DISABLED: "1" },
      }),
  };
}

/** The files that determine the result of an install. @param {string} root */
function manifests(root) {
  const workspace = readFileSync(join(root, "pnpm-workspace.yaml"), "utf8");
  const packages = workspacePatterns(workspace).flatMap((pattern) => packageDirs(root, pattern));
  return [
    "package.json",
    "pnpm-lock.yaml",
    "pnpm-workspace.yaml",
    ...packages.map((dir) => join(dir, "package.json")),
  ]
    .map((file) => join(root, file))
    .filter((file) => existsSync(file))
    .sort();
}

/**
 * The entries of `packages:` in pnpm-workspace.yaml. Read without a YAML parser: nothing is installed yet.
 * @param {string} yaml
 */
export function workspacePatterns(yaml) {
  const block = /^packages:\n((?:[ \t]*(?:-.*|#.*)?\n)*)/m.exec(yaml)?.[1] ?? "";
  return [...block.matchAll(/^\s*-\s*["']?([^"'#\s]+)/gm)].map(([, pattern = ""]) => pattern);
}

/** @param {string} root @param {string} pattern a directory, or `directory/*` */
function packageDirs(root, pattern) {
  if (!pattern.endsWith("/*")) return [pattern];
  const parent = pattern.slice(0, -2);
  return existsSync(join(root, parent))
    ? readdirSync(join(root, parent)).map((name) => join(parent, name))
    : [];
}
