/**
 * A child process that is kept running until it is stopped. It has its own process group, so that Ctrl-C in the
 * terminal reaches only us and we decide the stop order; its pid is on disk while it runs.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import type { ChildLog } from "./child-log.ts";
import { forgetChild, recordChild } from "./child-record.ts";
import { crashesInARow, restartDelayMs } from "./restart-delay.ts";
import { StartError } from "./start-error.ts";

export interface ChildSpec {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /**
   * Exit codes after which a restart cannot help, for example 78 for an invalid configuration; 0 for a task that ends.
   */
  readonly finalExitCodes: readonly number[];
  /** How long a graceful stop may take before the process is killed, in milliseconds. */
  readonly stopWithinMs: number;
  /** How long the first start may take, in milliseconds. */
  readonly readyWithinMs: number;
  /** Whether it works now; called again until it does. */
  isReady(): Promise<boolean>;
}

interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const ASK_AGAIN_MS = 50;
const LAST_WORDS_MS = 500;

export class Child {
  readonly #spec: ChildSpec;
  readonly #runDir: string;
  readonly #log: ChildLog;
  /** Called when the child has finally ended although nobody stopped it. */
  readonly #onFinal: (exit: Exit, lastWords: string) => void;
  readonly #stopping = new AbortController();
  #process: ChildProcess | undefined;
  #crashes = 0;
  /** Why it is being restarted; a second signal would make it exit at once. */
  #restarting: string | undefined;
  /** Ends the wait after a crash. */
  #hurry = new AbortController();

  constructor(
    spec: ChildSpec,
    runDir: string,
    log: ChildLog,
    onFinal: (exit: Exit, lastWords: string) => void,
  ) {
    this.#spec = spec;
    this.#runDir = runDir;
    this.#log = log;
    this.#onFinal = onFinal;
  }

  get name(): string {
    return this.#spec.name;
  }

  /** Resolves when the child is ready; rejects with StartError when it ends or stays silent instead. */
  async start(): Promise<void> {
    const ended = this.#run();
    const from = performance.now();
    let exit: Exit | undefined;
    void ended.then((result) => (exit = result));
    while (!(await this.#spec.isReady())) {
      this.#stopping.signal.throwIfAborted();
      if (exit) throw new StartError(this.#failure(`ended at its start (${inWords(exit)})`));
      if (performance.now() - from > this.#spec.readyWithinMs) {
        await this.stop();
        throw new StartError(this.#failure(`was not ready after ${this.#spec.readyWithinMs / 1000} s`));
      }
      await delay(ASK_AGAIN_MS);
    }
    void this.#keepRunning(ended);
  }

  /** Stops gracefully, waits, then kills. Resolves when no process is left; safe to call twice. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    const running = this.#process;
    if (!running?.pid || running.exitCode !== null || running.signalCode !== null) return;
    const gone = new Promise<void>((resolve) => running.once("exit", () => resolve()));
    running.kill("SIGTERM");
    const patience = new AbortController();
    const inTime = await Promise.race([
      gone.then(() => true),
      delay(this.#spec.stopWithinMs, false, { signal: patience.signal }),
    ]);
    if (!inTime) {
      this.#log.say(`did not stop within ${this.#spec.stopWithinMs / 1000} s: killing it`);
      killGroup(running.pid);
      await gone;
    }
    patience.abort();
  }

  /** Restarts it at once: after a graceful stop, or, while it waits after a crash, without the rest of that wait. */
  restart(because: string): void {
    if (this.#stopping.signal.aborted || this.#restarting !== undefined) return;
    this.#restarting = because;
    this.#hurry.abort();
    const running = this.#process;
    if (!running || running.exitCode !== null || running.signalCode !== null) return;
    running.kill("SIGTERM");
    const patience = setTimeout(() => killGroup(running.pid), this.#spec.stopWithinMs);
    running.once("exit", () => clearTimeout(patience));
  }

  async #keepRunning(first: Promise<Exit>): Promise<void> {
    let from = performance.now();
    let exit = await first;
    while (!this.#stopping.signal.aborted) {
      if (exit.code !== null && this.#spec.finalExitCodes.includes(exit.code))
        return this.#onFinal(exit, this.#failure(`ended and cannot be restarted (${inWords(exit)})`));
      if (this.#restarting === undefined && !(await this.#waitAfterCrash(exit, performance.now() - from)))
        return;
      if (this.#restarting !== undefined) {
        this.#log.say(`${this.#restarting}: restarting it`);
        this.#restarting = undefined;
        this.#hurry = new AbortController();
        this.#crashes = 0;
      }
      from = performance.now();
      exit = await this.#run();
    }
  }

  /** False if it was stopped meanwhile. */
  async #waitAfterCrash(exit: Exit, ranMs: number): Promise<boolean> {
    this.#crashes = crashesInARow(this.#crashes, ranMs);
    const waitMs = restartDelayMs(this.#crashes);
    this.#log.say(`ended (${inWords(exit)}); restarting it in ${waitMs / 1000} s`);
    const signal = AbortSignal.any([this.#stopping.signal, this.#hurry.signal]);
    await delay(waitMs, undefined, { signal }).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
    return !this.#stopping.signal.aborted;
  }

  /** Runs the child once. Its remaining descendants in its group are ended with it. */
  #run(): Promise<Exit> {
    const { command, args, cwd, env } = this.#spec;
    const child = spawn(command, args, { cwd, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
    this.#process = child;
    if (child.pid) recordChild(this.#runDir, this.name, child.pid);
    this.#log.follow(child.stdout, child.stderr);
    return new Promise((resolve) => {
      child.once("error", (error) => {
        this.#log.say(`could not be run: ${error.message}`);
        resolve({ code: null, signal: null });
      });
      child.once("exit", (code, signal) => {
        if (child.pid) killGroup(child.pid);
        forgetChild(this.#runDir, this.name);
        // Its last output may still be in the pipe, which a process outside its group could keep open.
        const heard = new Promise((closed) => child.once("close", closed));
        void Promise.race([heard, delay(LAST_WORDS_MS, undefined, { ref: false })]).then(() =>
          resolve({ code, signal }),
        );
      });
    });
  }

  #failure(what: string): string {
    const tail = this.#log.tail();
    return `${this.name} ${what}.${tail ? `\nIts last output:\n${tail}` : ""}\nFull log: ${this.#log.file}`;
  }
}

function inWords({ code, signal }: Exit): string {
  if (signal) return `killed by ${signal}`;
  return code === null ? "not run" : `exit code ${code}`;
}

/** SIGKILL to every process of the group that `pid` leads, if the group still exists. */
function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
