/** Installs Debian packages as root without letting them start a service. */
import { execFile } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Maintainer scripts ask this file whether a service may start; 101 means no. */
const POLICY = "/usr/sbin/policy-rc.d";
const OUR_POLICY = "#!/bin/sh\n# Left by an interrupted Sluice `npm start`: safe to delete.\nexit 101\n";
const LOCK_WAIT_S = 120;
const APT = ["-q", "-y", "-o", `DPkg::Lock::Timeout=${LOCK_WAIT_S}`];
const WITHIN_MS = 10 * 60_000;

export function hasApt(): boolean {
  return existsSync("/usr/bin/apt-get") && existsSync("/usr/bin/dpkg");
}

/** Whether there is such a program; those for root need not be on an ordinary user's PATH. */
export function onPath(program: string): boolean {
  const directories = [...(process.env["PATH"] ?? "").split(delimiter).filter(Boolean), "/usr/sbin", "/sbin"];
  return directories.some((directory) => existsSync(join(directory, program)));
}

/** Rejects with apt's own words. */
export async function aptInstall(packages: readonly string[]): Promise<void> {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const restore = forbidServiceStarts();
  try {
    await run("apt-get", [...APT, "update"], { env, timeout: WITHIN_MS });
    await run("apt-get", [...APT, "install", "--no-install-recommends", ...packages], {
      env,
      timeout: WITHIN_MS,
    });
  } finally {
    restore();
  }
}

/** The machine's own policy is restored; one that we left behind when killed is not mistaken for it. */
function forbidServiceStarts(): () => void {
  const before = existsSync(POLICY) ? readFileSync(POLICY, "utf8") : undefined;
  writeFileSync(POLICY, OUR_POLICY, { mode: 0o755 });
  return () => {
    if (before === undefined || before === OUR_POLICY) rmSync(POLICY, { force: true });
    else writeFileSync(POLICY, before, { mode: 0o755 });
  };
}
