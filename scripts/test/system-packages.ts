/** The programs that the tests need besides Node, in one place; they are installed only for a CI that runs as root. */
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { aptInstall, hasApt } from "../start/redis/apt-install.ts";

interface SystemPackage {
  /** Any of these on PATH is enough. */
  readonly programs: readonly string[];
  readonly debian: string;
  readonly brew: string;
}

const SYSTEM_PACKAGES: readonly SystemPackage[] = [
  { programs: ["redis-server", "valkey-server"], debian: "redis-server", brew: "redis" },
  { programs: ["chromium", "chromium-browser", "google-chrome"], debian: "chromium", brew: "chromium" },
  { programs: ["ffmpeg"], debian: "ffmpeg", brew: "ffmpeg" },
];

/** The packages of which no program is on `path`. */
export function missingPackages(
  path: string,
  isThere: (file: string) => boolean = existsSync,
): SystemPackage[] {
  const dirs = path.split(delimiter).filter(Boolean);
  const has = (program: string) => dirs.some((dir) => isThere(join(dir, program)));
  return SYSTEM_PACKAGES.filter(({ programs }) => !programs.some(has));
}

/** The one command that installs what is missing. */
export function installCommand(missing: readonly SystemPackage[], platform: NodeJS.Platform): string {
  if (platform === "darwin") return `brew install ${missing.map(({ brew }) => brew).join(" ")}`;
  return `sudo apt-get update && sudo apt-get install -y ${missing.map(({ debian }) => debian).join(" ")}`;
}

/** Resolves to a message for the user if something is missing and may not be installed; otherwise undefined. */
export async function ensureSystemPackages(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const missing = missingPackages(env["PATH"] ?? "");
  if (missing.length === 0) return undefined;
  const names = missing.map(({ debian }) => debian);
  if (env["CI"] === "true" && process.getuid?.() === 0 && hasApt()) {
    console.log(`installing ${names.join(", ")} (CI=true, root)`);
    await aptInstall(names);
    return undefined;
  }
  return `The tests need ${names.join(", ")}. Run\n  ${installCommand(missing, process.platform)}\nand start them again.`;
}
