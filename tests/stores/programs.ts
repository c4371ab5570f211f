/**
 * Where each store's server comes from: VersityGW from Go's module proxy, Ceph from Debian. What is brought is kept
 * under .sluice/stores; system packages are installed only as root with CI=true, otherwise the one command is told.
 */
import { execFile } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { aptInstall, hasApt } from "../../scripts/start/redis/apt-install.ts";

const run = promisify(execFile);
const KEPT = join(import.meta.dirname, "../../.sluice/stores");
const BUILD_WITHIN_MS = 8 * 60_000;

interface GoProgram {
  package: string;
  version: string;
  file: string;
}

export const goProgram = (name: string, path: string, version: string): GoProgram => ({
  package: path,
  version,
  file: join(KEPT, `${name}-${version}`, name),
});

export const VERSITYGW = goProgram("versitygw", "github.com/versity/versitygw/cmd/versitygw", "v1.7.0");

const CEPH = {
  programs: ["ceph", "ceph-mon", "ceph-osd", "monmaptool", "radosgw", "radosgw-admin"],
  packages: ["ceph-mon", "ceph-osd", "radosgw", "ceph-common"],
};

/** Undefined: it is there. Otherwise why it cannot be had, and what to do. */
export async function bringGoProgram(program: GoProgram): Promise<string | undefined> {
  if (existsSync(program.file)) return undefined;
  if (!onPath("go"))
    return `${program.package} is built with Go, which is not on PATH: install Go 1.24 or newer`;
  const target = join(program.file, "..");
  mkdirSync(target, { recursive: true });
  const what = `${program.package}@${program.version}`;
  console.log(`building ${what}, once`);
  try {
    // From a directory that belongs to no Go module.
    const env = { ...process.env, GOBIN: target, GOFLAGS: "-mod=mod" };
    await run("go", ["install", what], { cwd: target, env, timeout: BUILD_WITHIN_MS });
    return undefined;
  } catch (error) {
    const { stderr = String(error) } = error as { stderr?: string };
    return `go install ${what}: ${stderr.trim().split("\n").slice(-2).join(" ")}`;
  }
}

/** As `bringGoProgram`. */
export async function bringCeph(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  if (CEPH.programs.every(onPath)) return undefined;
  const packages = CEPH.packages.join(" ");
  if (env["CI"] === "true" && process.getuid?.() === 0 && hasApt()) {
    console.log(`installing ${packages} (CI=true, root)`);
    await aptInstall(CEPH.packages);
    return CEPH.programs.every(onPath) ? undefined : `Debian's ${packages} lack a program`;
  }
  return `run: sudo apt-get install --no-install-recommends ${packages}`;
}

function onPath(program: string): boolean {
  const dirs = (process.env["PATH"] ?? "").split(delimiter).filter(Boolean);
  return dirs.some((dir) => existsSync(join(dir, program)));
}
