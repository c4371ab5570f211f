/** A pid identifies a process only together with its start time: pids are reused, after a reboot even soon. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/**
 * @typedef {{ pid: number, started: string, command: string }} ProcessIdentity
 * `started` is opaque: equal for the same process, different for any other that ever had this pid.
 * `command` is for people.
 */

/**
 * @param {number} pid
 * @returns {ProcessIdentity | undefined} undefined when no such process lives (a zombie does not live)
 */
export function identityOf(pid) {
  return process.platform === "linux" ? fromProc(pid) : fromPs(pid);
}

/**
 * The command line is not compared: Redis and Next rewrite theirs.
 * @param {ProcessIdentity} recorded
 * @returns {boolean} whether exactly this process still lives
 */
export function stillLives(recorded) {
  return identityOf(recorded.pid)?.started === recorded.started;
}

/** @param {number} pid @returns {ProcessIdentity | undefined} */
function fromProc(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The second field, the name in parentheses, may itself hold spaces and parentheses.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (fields[0] === "Z" || fields[0] === "X") return undefined;
    const bootId = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
    return { pid, started: `${bootId}:${fields[19]}`, command };
  } catch (error) {
    const code = /** @type {NodeJS.ErrnoException} */ (error).code;
    if (code === "ENOENT" || code === "ESRCH") return undefined;
    throw error;
  }
}

/** @param {number} pid @returns {ProcessIdentity | undefined} */
function fromPs(pid) {
  try {
    const line = execFileSync("ps", ["-o", "lstart=,command=", "-p", String(pid)], {
      encoding: "utf8",
    }).trim();
    // `lstart` is always five words, such as "Mon Nov 23 10:00:00 2026".
    const words = line.split(/\s+/);
    return { pid, started: words.slice(0, 5).join(" "), command: words.slice(5).join(" ") };
  } catch (error) {
    if (/** @type {{ status?: number }} */ (error).status === 1) return undefined;
    throw error;
  }
}
