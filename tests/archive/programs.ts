/** Brings what a suite that installs into a root directory of its own needs of the machine. */
import { aptInstall, hasApt, onPath } from "../../scripts/start/redis/apt-install.ts";

/**
 * Undefined: all is there. Otherwise why not, and what to do.
 *
 * @param programs by name, and Debian's packages that hold them
 */
export async function bringPrograms(programs: Readonly<Record<string, string>>): Promise<string | undefined> {
  if (process.platform !== "linux" || process.getuid?.() !== 0)
    return "the suite installs into a root directory of its own: run it as root on Linux";
  const missing = (): string[] =>
    Object.entries(programs).flatMap(([program, name]) => (onPath(program) ? [] : [name]));
  if (missing().length === 0) return undefined;
  if (process.env["CI"] !== "true" || !hasApt())
    return `run: apt-get update && apt-get install --no-install-recommends ${missing().join(" ")}`;
  console.log(`installing ${missing().join(" ")} (CI=true, root)`);
  await aptInstall(missing());
  return missing().length === 0
    ? undefined
    : `Debian's packages do not bring all programs of ${missing().join(" ")}`;
}
