/** A child process with its output kept: it is told why it did not come up, and it never outlives the test. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";

export interface Running {
  readonly child: ChildProcess;
  output(): string;
  /** Resolves with exit code or signal. */
  end(signal?: NodeJS.Signals): Promise<number | NodeJS.Signals | null>;
}

export function run(
  argv: readonly string[],
  options: { cwd: string; env: Readonly<Record<string, string | undefined>> },
): Running {
  const child = spawn(process.execPath, argv, {
    ...options,
    env: { ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  const keep = (chunk: Buffer) => {
    text = (text + chunk.toString()).slice(-20_000);
  };
  child.stdout?.on("data", keep);
  child.stderr?.on("data", keep);
  return {
    child,
    output: () => text,
    async end(signal = "SIGTERM") {
      if (child.exitCode === null && child.signalCode === null) {
        const exited = once(child, "exit");
        child.kill(signal);
        await exited;
      }
      return child.exitCode ?? child.signalCode;
    },
  };
}

/** Until `look` answers; fails with the process's own words when it ends before. */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined>,
  running?: Running,
  withinMs = 30_000,
): Promise<T> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    const ended =
      running !== undefined && (running.child.exitCode !== null || running.child.signalCode !== null);
    if (ended || Date.now() > deadline) throw new Error(`${what} did not happen\n${running?.output() ?? ""}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** What the process holds in memory now. */
export async function residentBytes({ child }: Running): Promise<number> {
  const status = await readFile(`/proc/${child.pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
}
