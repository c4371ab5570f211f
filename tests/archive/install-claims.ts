/** Building, installing, upgrading, going back and removing. */
import { deepStrictEqual as same, match, ok } from "node:assert/strict";
import { existsSync, globSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Claims } from "../compose/claims.ts";
import { mustRun } from "../compose/run-program.ts";
import type { CleanRoot } from "./clean-root.ts";
import { commandsUnder } from "./guide.ts";

const checkout = join(import.meta.dirname, "../..");
const BUILD_WITHIN_MS = 5 * 60_000;
/** As if it had been released after the one that is built. */
const NEXT = "99.0.0";
const MODE = 0o777;

export interface Archives {
  version: string;
  /** Where the newer one is unpacked in the root. */
  next: string;
}

export async function buildArchive(claims: Claims, root: CleanRoot): Promise<void> {
  const place = root.outside("/root");
  await claims.must("the archive is built, with its SHA-256 beside it", async () => {
    await mustRun([process.execPath, join(checkout, "scripts/archive.ts"), "--out", place], {
      withinMs: BUILD_WITHIN_MS,
    });
  });
}

export async function installClaims(claims: Claims, root: CleanRoot): Promise<Archives> {
  const { version } = JSON.parse(readFileSync(join(checkout, "package.json"), "utf8")) as { version: string };
  await claims.must("it installs on a machine without Node and npm, by the guide's commands", async () => {
    const said = await root.mustRun(["sh", "-ec", `cd /root\n${commandsUnder("Install")}`]);
    match(said, new RegExp(`^Sluice ${version} is installed: /opt/sluice → /opt/sluice-${version}$`, "m"));
  });
  await claims.holds("without root it refuses, and says what to do", async () => {
    const { code, all } = await root.run(["/opt/sluice/install"], { user: "nobody" });
    same(code, 1);
    match(all, /^install: run it as root: sudo \/opt\/sluice\/install$/m);
  });
  await claims.holds("`sluice` is on PATH and runs by the Node that came with it", async () => {
    same((await root.mustRun(["sluice", "--version"])).trim(), version);
    same((await root.run(["node", "--version"])).code, 127);
  });
  await claims.holds("the example of the settings is valid", async () => {
    match(await root.mustRun(["sluice", "config", "print"]), /studio-a/);
    await root.mustRun(["sluice", "config", "validate"]);
  });
  await claims.holds("secrets can be read by root alone, and a password was made", () => {
    same(statSync(root.outside("/etc/sluice/secrets")).mode & MODE, 0o700);
    same(statSync(root.outside("/etc/sluice/secrets/web-password")).mode & MODE, 0o600);
    ok(readFileSync(root.outside("/etc/sluice/secrets/web-password"), "utf8").trim().length >= 20);
  });
  const next = "/root/sluice-next";
  await root.mustRun(["cp", "-R", `/opt/sluice-${version}`, next]);
  root.write(`${next}/VERSION`, `${NEXT}\n`);
  return { version, next };
}

export async function upgradeClaims(
  claims: Claims,
  root: CleanRoot,
  { next, version }: Archives,
): Promise<void> {
  const inUse = (): string => readlinkSync(root.outside("/opt/sluice"));
  const settings = readFileSync(root.outside("/etc/sluice/sluice.yaml"), "utf8");
  const password = readFileSync(root.outside("/etc/sluice/secrets/web-password"), "utf8");
  await claims.holds("a newer release is installed beside it, and keeps settings and password", async () => {
    await root.mustRun([`${next}/install`]);
    same(inUse(), `/opt/sluice-${NEXT}`);
    same(readFileSync(root.outside("/etc/sluice/sluice.yaml"), "utf8"), settings);
    same(readFileSync(root.outside("/etc/sluice/secrets/web-password"), "utf8"), password);
  });
  await claims.holds("the earlier one is there for going back", async () => {
    await root.mustRun([`/opt/sluice-${version}/install`]);
    same(inUse(), `/opt/sluice-${version}`);
    same((await root.mustRun(["sluice", "--version"])).trim(), version);
  });
  await claims.holds("installed once more over itself it works", async () => {
    await root.mustRun([`${next}/install`]);
    await root.mustRun([`${next}/install`]);
    same((await root.mustRun(["sluice", "--version"])).trim(), version);
    same(globSync("/opt/*.{new,old}", { cwd: root.directory }), []);
  });
}

export async function removeClaims(claims: Claims, root: CleanRoot): Promise<void> {
  await claims.holds("it is removed without a rest, but for settings and user", async () => {
    await root.mustRun(["sh", "-ec", commandsUnder("Upgrade, go back, remove")]);
    const left = await root.mustRun(["find", "/opt", "/usr/local", "-name", "*sluice*"]);
    same(left, "");
    ok(existsSync(root.outside("/etc/sluice/sluice.yaml")));
  });
}
