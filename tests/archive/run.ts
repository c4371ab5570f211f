/**
 * `npm run test:archive`: the archive for a machine without Node, as an administrator uses it: built, installed in a clean
 * Debian, at work with a real Redis and bucket, behind a TLS proxy, upgraded, taken back, removed.
 */
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { aptInstall, hasApt } from "../../scripts/start/redis/apt-install.ts";
import { CannotContinue, Claims } from "../compose/claims.ts";
import { heedSignals } from "../compose/run-program.ts";
import { CleanRoot } from "./clean-root.ts";
import { buildArchive, installClaims, removeClaims, upgradeClaims } from "./install-claims.ts";
import { proxyClaims } from "./proxy-claims.ts";
import { unitClaims } from "./unit-claims.ts";
import { workClaims } from "./work-claims.ts";

/** Programs of the machine that runs this, and Debian's packages that hold them. */
const PROGRAMS: Readonly<Record<string, string>> = {
  debootstrap: "debootstrap",
  "redis-server": "redis-server",
  "systemd-analyze": "systemd",
  nginx: "nginx-light",
  caddy: "caddy",
  openssl: "openssl",
};

async function main(): Promise<number> {
  const reason = await bringPrograms();
  if (reason !== undefined) {
    console.error(reason);
    console.log(`\n0 passed, ${process.env["CI"] === "true" ? 1 : 0} failed`);
    return process.env["CI"] === "true" ? 1 : 0;
  }
  heedSignals();
  const claims = new Claims();
  try {
    await using root = await CleanRoot.make();
    await buildArchive(claims, root);
    const archives = await installClaims(claims, root);
    await unitClaims(claims, root);
    await workClaims(claims, root);
    await proxyClaims(claims, root);
    await upgradeClaims(claims, root, archives);
    await removeClaims(claims, root);
  } catch (error) {
    if (!(error instanceof CannotContinue)) throw error;
    console.error(error.message);
  }
  claims.sum();
  return claims.failed === 0 ? 0 : 1;
}

/** Undefined: all is there. Otherwise why not, and what to do. */
async function bringPrograms(): Promise<string | undefined> {
  if (process.platform !== "linux" || process.getuid?.() !== 0)
    return "the suite installs into a root directory of its own: run it as root on Linux";
  const missing = (): string[] =>
    Object.entries(PROGRAMS).flatMap(([program, name]) => (onPath(program) ? [] : [name]));
  if (missing().length === 0) return undefined;
  if (process.env["CI"] !== "true" || !hasApt())
    return `run: apt-get update && apt-get install --no-install-recommends ${missing().join(" ")}`;
  console.log(`installing ${missing().join(" ")} (CI=true, root)`);
  await aptInstall(missing());
  return missing().length === 0
    ? undefined
    : `Debian's packages do not bring all programs of ${missing().join(" ")}`;
}

function onPath(program: string): boolean {
  const directories = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/sbin"];
  return directories.some((directory) => existsSync(join(directory, program)));
}

process.exitCode = await main();
