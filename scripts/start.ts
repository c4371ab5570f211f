/** `npm start`: all of Sluice on one machine, started with one command and stopped with Ctrl-C. */
import { rmSync } from "node:fs";
import { Socket } from "node:net";
import { join } from "node:path";
import { tryLock } from "./lib/lock.mjs";
import { parseOptions, USAGE } from "./start/options.ts";
import { preflight } from "./start/preflight.ts";
import { printer } from "./start/printer.ts";
import { StartError } from "./start/start-error.ts";
import { startAll } from "./start/start-all.ts";
import { Stack } from "./start/stack.ts";

const EXIT_FAILED = 1;
const EXIT_CONFIG = 78;
/** npm and the terminal may each deliver one Ctrl-C: signals this close together count as one. */
const SAME_SIGNAL_MS = 400;

const root = join(import.meta.dirname, "..");

async function main(): Promise<number> {
  const options = parseOptions(root, process.argv.slice(2));
  if (!options) {
    console.log(USAGE);
    return 0;
  }
  preflight(options.stateDir, options.inbox);
  const lockFile = join(options.stateDir, "run", "start.lock");
  const holder = tryLock(lockFile);
  if (holder)
    throw new StartError(
      `already running in this checkout as pid ${holder.pid}: stop that one first (kill ${holder.pid})`,
    );
  try {
    return await run(options);
  } finally {
    rmSync(lockFile, { force: true });
  }
}

async function run(options: NonNullable<ReturnType<typeof parseOptions>>): Promise<number> {
  const print = printer(process.stdout);
  const ending = Promise.withResolvers<number>();
  const places = { runDir: join(options.stateDir, "run"), logDir: join(options.stateDir, "logs") };
  const stack = new Stack(places, print.child, (_name, code, lastWords) => {
    // A task that is done has said so itself.
    if (code === 0) return;
    print.line(`\n${lastWords}`);
    ending.resolve(code ?? EXIT_FAILED);
  });
  onStopRequest((why) => {
    print.line(`\n${why}: stopping …`);
    ending.resolve(0);
  });
  const started = startAll(stack, { ...options, root, ...places }, print);
  try {
    return await Promise.race([ending.promise, started.then(() => ending.promise)]);
  } finally {
    await stack.stop();
    // Work that cannot be interrupted, such as apt, ends before we do.
    await Promise.allSettled([started]);
    if (!stack.isEmpty) print.line("stopped.");
  }
}

/** A second request, after the first was handled, ends this process at once; the next start cleans up after that. */
function onStopRequest(stop: (why: string) => void): void {
  let firstAt: number | undefined;
  const request = (why: string) => {
    if (firstAt === undefined) {
      firstAt = performance.now();
      stop(why);
    } else if (performance.now() - firstAt > SAME_SIGNAL_MS) {
      process.exit(EXIT_FAILED);
    }
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => request(signal));
  const fd = Number(process.env["LAUNCHER_FD"]);
  delete process.env["LAUNCHER_FD"];
  if (Number.isInteger(fd) && fd > 2) watchLauncher(fd, () => request("npm is gone"));
}

/** The bootstrap holds the other end of this pipe and never writes: the pipe closes when the bootstrap ends. */
function watchLauncher(fd: number, gone: () => void): void {
  const pipe = new Socket({ fd, readable: true, writable: false });
  pipe.on("error", gone);
  pipe.on("end", gone);
  pipe.resume();
  pipe.unref();
}

try {
  process.exitCode = await main();
} catch (error) {
  const { code, message } = error as NodeJS.ErrnoException;
  if (!(error instanceof StartError) && code !== "ENOSPC") throw error;
  console.error(code === "ENOSPC" ? `no space is left on the disk: ${message}` : `\n${message}`);
  process.exitCode = error instanceof StartError ? EXIT_CONFIG : EXIT_FAILED;
}
