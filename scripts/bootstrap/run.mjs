/**
 * Three ways to run a command: quietly, with its output kept for an error; in our place, as if it had been started
 * directly; or by becoming it, where Node can.
 */
import { spawn } from "node:child_process";

/** One Ctrl-C arrives twice, from the terminal and from npm; signals this close together count as one. */
const SAME_SIGNAL_MS = 400;
/** If npm is killed there is no notification, but our parent changes. */
const PARENT = process.ppid;
const LOOK_AT_PARENT_MS = 500;
/** A pipe that nobody writes to: it closes when we are killed, and `npm start` then stops what it started. */
const LAUNCHER_FD = 3;
const OUTPUT_KEPT_CHARS = 8_000;

/** The command failed for a reason that the message explains to the user. */
export class BootstrapError extends Error {}

/**
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd: string, env: NodeJS.ProcessEnv }} options
 * @returns {Promise<void>} rejects with BootstrapError that ends with the child's last output
 */
export function runQuietly(command, args, { cwd, env }) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    const keep = (/** @type {Buffer} */ chunk) => {
      output = (output + chunk.toString()).slice(-OUTPUT_KEPT_CHARS);
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    child.on("error", reject);
    child.on("close", (code, signal) => {
      if (code === 0) return resolve();
      const ending = signal ? `was stopped by ${signal}` : `ended with exit code ${code}`;
      reject(new BootstrapError(`${[command, ...args].join(" ")}\n${output.trim()}\n→ it ${ending}`));
    });
  });
}

/**
 * The child gets a process group of its own and every signal from us, once: were it in ours, the terminal
 * and npm would each deliver Ctrl-C to it, and a second signal means "at once" to the worker.
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd: string, env: NodeJS.ProcessEnv }} options
 * @returns {Promise<{ code: number | null, signal: NodeJS.Signals | null, passedOn: boolean }>} `passedOn`: it ended by a
 *   signal that it had from us
 */
export function runInOurPlace(command, args, { cwd, env }) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...env, LAUNCHER_FD: String(LAUNCHER_FD) },
      stdio: ["inherit", "inherit", "inherit", "pipe"],
      detached: true,
    });
    /** @type {Map<string, number>} */
    const lastSeen = new Map();
    const forward = (/** @type {NodeJS.Signals} */ signal) => {
      const now = performance.now();
      if (now - (lastSeen.get(signal) ?? -Infinity) < SAME_SIGNAL_MS) return;
      lastSeen.set(signal, now);
      signalGroup(child, signal);
    };
    /** @type {NodeJS.Signals[]} */
    const signals = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"];
    for (const signal of signals) process.on(signal, forward);
    const watch = setInterval(() => {
      if (process.ppid === PARENT) return;
      clearInterval(watch);
      forward("SIGTERM");
    }, LOOK_AT_PARENT_MS);
    child.on("error", reject);
    child.on("exit", (code, signal) => {
      clearInterval(watch);
      for (const name of signals) process.off(name, forward);
      resolve({ code, signal, passedOn: signal !== null && lastSeen.has(signal) });
    });
  });
}

/**
 * This process becomes the command (execve): a signal or kill to it reaches the command directly. The id of our parent
 * is passed to it, because nothing else would notice the parent's end. Returns if Node does not support execve.
 * @param {string} command an absolute path
 * @param {string[]} args
 * @param {{ cwd: string, env: NodeJS.ProcessEnv }} options
 */
export function become(command, args, { cwd, env }) {
  if (typeof process.execve !== "function" || process.platform === "win32") return;
  process.chdir(cwd);
  const variables = Object.entries({ ...env, LAUNCHER_PARENT: String(PARENT) });
  process.execve(
    command,
    [command, ...args],
    Object.fromEntries(variables.filter(([, value]) => value !== undefined)),
  );
}

/**
 * Sends the signal to the whole group, as a terminal would: a test run ends with its runners.
 * @param {import("node:child_process").ChildProcess} child
 * @param {NodeJS.Signals} signal
 */
function signalGroup({ pid }, signal) {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== "ESRCH") throw error;
  }
}
