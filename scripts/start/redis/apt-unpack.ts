/**
 * Gets redis-server without root: Debian's packages and the libraries missing here, unpacked into the state directory.
 */
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

const WITHIN_MS = 10 * 60_000;
/** Present on every Debian, and must never be mixed from two releases. */
const NEVER_UNPACKED = new Set(["libc6", "adduser", "lsb-base", "init-system-helpers", "debconf"]);
const APT_STATE = "apt";
/** A longer chain of dependencies would be a bug. */
const MAX_PACKAGES = 40;

type Program = { command: string; env: Record<string, string> };

/** What an earlier `unpackRedis` left, if it did. */
export function unpackedRedis(stateDir: string): Program | undefined {
  const place = join(stateDir, "redis-packages");
  const command = join(place, "usr/bin/redis-server");
  if (!existsSync(command)) return undefined;
  const libraries = [place, join(place, "usr")].flatMap((root) => libraryDirs(join(root, "lib")));
  return { command, env: libraries.length > 0 ? { LD_LIBRARY_PATH: libraries.join(":") } : {} };
}

/** Debian keeps libraries in a directory named after the machine, for example `x86_64-linux-gnu`. */
function libraryDirs(lib: string): string[] {
  if (!existsSync(lib)) return [];
  return readdirSync(lib)
    .filter((name) => name.includes("-linux-"))
    .map((name) => join(lib, name));
}

/** Rejects with apt's own message. The directory appears only when it is complete. */
export async function unpackRedis(stateDir: string): Promise<Program | undefined> {
  const aside = join(stateDir, `redis-packages.${process.pid}`);
  const downloads = join(aside, "downloads");
  mkdirSync(downloads, { recursive: true });
  try {
    const apt = await ownAptState(stateDir);
    const fetched = new Set<string>();
    let wanted = ["redis-server", "redis-tools"];
    while (wanted.length > 0) {
      for (const name of wanted) fetched.add(name);
      if (fetched.size > MAX_PACKAGES) throw new Error("redis-server seems to depend on half of the system");
      await run("apt-get", [...apt, "download", ...wanted], { cwd: downloads, timeout: WITHIN_MS });
      const needed = await dependenciesOf(downloads);
      wanted = await missingHere(needed.filter((name) => !fetched.has(name)));
    }
    for (const deb of readdirSync(downloads)) await run("dpkg-deb", ["-x", join(downloads, deb), aside]);
    rmSync(downloads, { recursive: true });
    const place = join(stateDir, "redis-packages");
    rmSync(place, { recursive: true, force: true });
    renameSync(aside, place);
  } finally {
    rmSync(aside, { recursive: true, force: true });
    rmSync(join(stateDir, APT_STATE), { recursive: true, force: true });
  }
  return unpackedRedis(stateDir);
}

/** Our own package lists, because those of the system may be missing and must not be updated by us. */
async function ownAptState(stateDir: string): Promise<string[]> {
  const state = join(stateDir, APT_STATE);
  mkdirSync(join(state, "lists", "partial"), { recursive: true });
  mkdirSync(join(state, "cache", "archives", "partial"), { recursive: true });
  const options = [`Dir::State::lists=${state}/lists`, `Dir::Cache=${state}/cache`, "APT::Sandbox::User="];
  const flags = ["-q", ...options.flatMap((option) => ["-o", option])];
  await run("apt-get", [...flags, "update"], { timeout: WITHIN_MS });
  return flags;
}

async function dependenciesOf(dir: string): Promise<string[]> {
  const lists = await Promise.all(
    readdirSync(dir).map((deb) => run("dpkg-deb", ["-f", join(dir, deb), "Pre-Depends", "Depends"])),
  );
  return [...new Set(lists.flatMap(({ stdout }) => packageNames(stdout)))];
}

/** The first alternative of each dependency in the output of `dpkg-deb -f <deb> Pre-Depends Depends`. */
export function packageNames(fields: string): string[] {
  return fields
    .replaceAll(/^[A-Za-z-]+:/gm, ",")
    .split(",")
    .map((dependency) => /^\s*([a-z0-9][a-z0-9+.-]*)/.exec(dependency)?.[1])
    .filter((name) => name !== undefined)
    .filter((name) => !NEVER_UNPACKED.has(name));
}

async function missingHere(names: readonly string[]): Promise<string[]> {
  const checks = names.map(async (name) => {
    const query = await run("dpkg-query", ["-W", "-f", "${db:Status-Abbrev}", name]).catch(() => undefined);
    return query?.stdout.startsWith("ii") ? [] : [name];
  });
  return (await Promise.all(checks)).flat();
}
