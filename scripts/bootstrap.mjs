/**
 * The entry of every npm script: on a machine with only Node >= 20 and npm it installs what is missing, then runs the
 * command as if it had been started directly. Standard output contains only the command's own.
 */
import { fileURLToPath } from "node:url";
import { dirname, join } from "node:path";
import { COMMANDS } from "./bootstrap/commands.mjs";
import { prepare } from "./bootstrap/prepare.mjs";
import { say } from "./bootstrap/progress.mjs";
import { isEmbeddedDown, readEmbedded, withEmbedded } from "./lib/embedded.mjs";
import { become, BootstrapError, runInOurPlace } from "./bootstrap/run.mjs";

const EXIT_USAGE = 64;
const EXIT_NOT_PREPARED = 69;

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** @param {string | undefined} name @param {string[]} args */
async function main(name, args) {
  const command = COMMANDS[name ?? ""];
  if (!command) {
    say(`unknown command ${name ?? "(none)"}; known: ${Object.keys(COMMANDS).join(", ")}`);
    return { code: EXIT_USAGE, signal: null };
  }
  const isWorker = name === "sluice" && args[0] === "worker";
  // Nothing has started yet: a supervisor that stops it now gets exit code 0.
  const stopped = () => process.exit(0);
  if (isWorker) for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, stopped);
  const isDashboard = name === "sluice" && args[0] === "dashboard";
  const { node, env } = await prepare(root, { web: command.needsDashboard || isDashboard });
  const seen = command.seesEmbedded ? withEmbedded(env, readEmbedded(join(root, ".sluice"))) : env;
  const argv = [...command.argv, ...args];
  if (isWorker) become(node, argv, { cwd: root, env: seen });
  if (isWorker) for (const signal of ["SIGTERM", "SIGINT"]) process.off(signal, stopped);
  // The child ends with us, even if no signal reaches it.
  const childEnv = isWorker ? { ...seen, LAUNCHER_PARENT: String(process.pid) } : seen;
  const ending = await runInOurPlace(node, argv, { cwd: root, env: childEnv });
  // A worker that can handle a signal does so: one that is killed by it had not started yet.
  if (isWorker && ending.passedOn) return { code: 0, signal: null };
  if (command.seesEmbedded && ending.code !== 0 && (await isEmbeddedDown(seen))) {
    say("the embedded Redis does not run: start it with `npm start`, or set SLUICE_REDIS_URL");
  }
  return ending;
}

/** @param {unknown} error @returns {string} what to do about it; an unforeseen error is thrown on */
function inWords(error) {
  if (error instanceof BootstrapError) return error.message;
  const { code, path } = /** @type {NodeJS.ErrnoException} */ (error);
  if (code === "EACCES" || code === "EPERM") {
    return `${path} cannot be written: was this checkout prepared by another user? Make it yours, or clone it again`;
  }
  if (code === "ENOSPC") return `no space is left on the disk of ${root}`;
  throw error;
}

try {
  const { code, signal } = await main(process.argv[2], process.argv.slice(3));
  if (signal) process.kill(process.pid, signal);
  else process.exitCode = code ?? 1;
} catch (error) {
  say(inWords(error));
  process.exitCode = EXIT_NOT_PREPARED;
}
