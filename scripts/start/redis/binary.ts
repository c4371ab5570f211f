/**
 * Finds a Redis to run: on PATH, else from the system's packages, else unpacked from them without root, else prints the
 * command that installs one.
 */
import { execFileSync } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { StartError } from "../start-error.ts";
import { aptInstall, hasApt } from "./apt-install.ts";
import { unpackedRedis, unpackRedis } from "./apt-unpack.ts";

/** A program with what it needs in its environment to run. */
export interface RedisBinary {
  readonly command: string;
  readonly env: Readonly<Record<string, string>>;
  /** As reported by the program, for the summary. */
  readonly version: string;
}

/** The scripts need commands of this version. */
const OLDEST = { major: 6, minor: 2 };
const NAMES = ["redis-server", "valkey-server"];
const VERSION_WITHIN_MS = 10_000;

/** Throws StartError if no Redis can be found. `say` is called before slow steps. */
export async function findRedis(stateDir: string, say: (line: string) => void): Promise<RedisBinary> {
  const found = onPath(process.env["PATH"] ?? "") ?? asRedis(unpackedRedis(stateDir));
  if (found) return found;
  const failures: string[] = [];
  if (hasApt()) {
    for (const way of process.getuid?.() === 0 ? [installed, unpacked] : [unpacked]) {
      try {
        const redis = await way(stateDir, say);
        if (redis) return redis;
      } catch (error) {
        failures.push((error as Error).message);
      }
    }
  }
  throw new StartError(
    [
      ...failures,
      `no redis-server or valkey-server of version ${OLDEST.major}.${OLDEST.minor} or newer was found.`,
      remedy(),
    ].join("\n"),
  );
}

async function installed(_stateDir: string, say: (line: string) => void): Promise<RedisBinary | undefined> {
  say("installing redis-server with apt (its system service is not started) …");
  await aptInstall(["redis-server"]);
  return onPath("/usr/bin:/usr/sbin:/usr/local/bin");
}

async function unpacked(stateDir: string, say: (line: string) => void): Promise<RedisBinary | undefined> {
  say(`unpacking redis-server from the system's packages into ${stateDir} …`);
  return asRedis(await unpackRedis(stateDir));
}

function onPath(path: string): RedisBinary | undefined {
  for (const dir of path.split(delimiter).filter(Boolean)) {
    for (const name of NAMES) {
      const redis = asRedis({ command: join(dir, name), env: {} });
      if (redis) return redis;
    }
  }
  return undefined;
}

/** The candidate with its version, if it runs and is new enough. */
function asRedis(
  candidate: { command: string; env: Record<string, string> } | undefined,
): RedisBinary | undefined {
  if (!candidate || !isExecutable(candidate.command)) return undefined;
  try {
    const env = { ...process.env, ...candidate.env };
    const versionText = execFileSync(candidate.command, ["--version"], {
      env,
      encoding: "utf8",
      stdio: "pipe",
      timeout: VERSION_WITHIN_MS,
    });
    return isNewEnough(versionText)
      ? { ...candidate, version: versionIn(versionText)?.join(".") ?? "" }
      : undefined;
  } catch {
    return undefined; // It does not run here, for example because a library is missing: the next candidate may.
  }
}

function versionIn(versionText: string): [number, number] | undefined {
  const [, major, minor] = /v=(\d+)\.(\d+)/.exec(versionText) ?? [];
  return major === undefined ? undefined : [Number(major), Number(minor)];
}

/** @param versionText for example `Redis server v=7.0.15 sha=…` or `Valkey server v=8.1.1 …` */
export function isNewEnough(versionText: string): boolean {
  const [major, minor] = versionIn(versionText) ?? [0, 0];
  return major > OLDEST.major || (major === OLDEST.major && minor >= OLDEST.minor);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

function remedy(): string {
  const install =
    process.platform === "darwin"
      ? "brew install redis"
      : hasApt()
        ? "sudo apt-get update && sudo apt-get install -y redis-server"
        : "install redis or valkey with your system's package manager";
  return `Run\n  ${install}\nand start again, or name a running Redis: SLUICE_REDIS_URL=redis://host:6379 npm start`;
}
