/** Runs a program to its end, with what it said: the last of it is what an error shows. */
import { spawn } from "node:child_process";

const SHOWN_CHARS = 3_000;
const MAX_CHARS = 16 * 1024 * 1024;

export interface Ran {
  code: number | null;
  out: string;
  /** Both streams, in the order in which they came. */
  all: string;
}

export interface RunOptions {
  cwd?: string | undefined;
  env?: NodeJS.ProcessEnv | undefined;
  withinMs?: number | undefined;
}

const WITHIN_MS = 60_000;

const stop = new AbortController();
/** Aborted by Ctrl-C or the end of a night, where a suite heeds them. */
export const interrupted = stop.signal;

/** From now on a signal ends what runs, and this process stops what it started before it ends. */
export function heedSignals(): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => stop.abort(new Error(`ended by ${signal}`)));
}

/** Rejects only when the program cannot be run, or not within its time, or is interrupted. */
export async function run(argv: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const [program = "", ...args] = argv;
  const { cwd, env = process.env, withinMs = WITHIN_MS } = options;
  const { promise, resolve, reject } = Promise.withResolvers<Ran>();
  const child = spawn(program, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
  const late = setTimeout(() => {
    child.kill("SIGKILL");
    reject(new Error(`${argv.join(" ")}: not within ${withinMs / 1000} s\n${all.slice(-SHOWN_CHARS)}`));
  }, withinMs);
  // Programs that clean up are started after the interruption, and run to their end.
  const end = (): void => {
    child.kill("SIGKILL");
    reject(interrupted.reason as Error);
  };
  interrupted.addEventListener("abort", end, { once: true });
  let out = "";
  let all = "";
  const keep = (text: string): void => void (all = (all + text).slice(-MAX_CHARS));
  child.stdout.on("data", (chunk: Buffer) => {
    out += chunk.toString();
    keep(chunk.toString());
  });
  child.stderr.on("data", (chunk: Buffer) => keep(chunk.toString()));
  child.once("error", reject);
  child.once("close", (code) => resolve({ code, out, all }));
  return await promise.finally(() => {
    clearTimeout(late);
    interrupted.removeEventListener("abort", end);
  });
}

/** Its standard output; rejects with what it said when it ends with another code than 0. */
export async function mustRun(argv: readonly string[], options: RunOptions = {}): Promise<string> {
  const { code, out, all } = await run(argv, options);
  if (code !== 0) throw new Error(`${argv.join(" ")} ended with ${code}\n${all.slice(-SHOWN_CHARS)}`);
  return out;
}
