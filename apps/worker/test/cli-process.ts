/** `sluice <command>` as a person runs it: a process of its own, its exit code, and what it said on either stream. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../src/main.mjs", import.meta.url));

export interface Answer {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface CliOptions {
  env?: Readonly<Record<string, string>>;
  cwd?: string;
  /** Sent once it has said this, on either stream. */
  signalWhen?: { said: RegExp; signal: NodeJS.Signals };
  /** Another program that runs the command line, such as one that first gives up its rights. */
  program?: string;
}

export async function sluice(args: readonly string[], options: CliOptions = {}): Promise<Answer> {
  const child = spawn(process.execPath, [options.program ?? MAIN, ...args], {
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"], ...options.env },
    cwd: options.cwd ?? "/",
    stdio: ["ignore", "pipe", "pipe"],
  });
  const { signalWhen } = options;
  let heard = "";
  let sent = false;
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => {
      heard += chunk.toString();
      // A second signal ends a command at once.
      if (!sent && signalWhen?.said.test(heard)) sent = child.kill(signalWhen.signal);
    });
  const [[code], stdout, stderr] = await Promise.all([
    once(child, "exit") as Promise<[number | null]>,
    text(child.stdout),
    text(child.stderr),
  ]);
  return { code, stdout, stderr };
}

/** The one JSON document on standard output; whatever else is there makes this throw. */
export function document<T>({ stdout, stderr, code }: Answer): T {
  try {
    return JSON.parse(stdout) as T;
  } catch (error) {
    throw new Error(`not one JSON document (exit ${code}):\n${stdout}\n${stderr}`, { cause: error });
  }
}
