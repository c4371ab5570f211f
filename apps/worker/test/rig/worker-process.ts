/**
 * One worker as users run it: a process of its own. What it says is captured, and it never outlives its rig.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { NotMet, until, type Deadline } from "./until.ts";

const MAIN = fileURLToPath(new URL("../../src/main.mjs", import.meta.url));

/** As it is started for users. */
const YOUNG_HEAP = "--max-semi-space-size=16";

export interface LogLine {
  /** As pino counts: 30 info, 40 warn, 50 error. */
  level: number;
  msg: string;
  [field: string]: unknown;
}

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface WorkerStart {
  env: Readonly<Record<string, string>>;
  cwd: string;
  /** Another program that runs the worker, such as one that first gives up its rights. */
  program?: string | undefined;
  /** A command that runs it somewhere else, such as in namespaces of its own. */
  through?: readonly string[] | undefined;
}

export class WorkerProcess {
  readonly pid: number;
  readonly exited: Promise<Exit>;
  readonly lines: LogLine[] = [];
  /** Everything it wrote that is no log line. */
  readonly other: string[] = [];
  readonly #child: ChildProcess;

  constructor(start: WorkerStart) {
    const [command, ...args] = [
      ...(start.through ?? []),
      process.execPath,
      YOUNG_HEAP,
      start.program ?? MAIN,
      "worker",
    ];
    this.#child = spawn(command, args, {
      env: { PATH: process.env["PATH"], ...start.env },
      cwd: start.cwd,
      stdio: ["ignore", "pipe", "pipe"],
    });
    if (this.#child.pid === undefined) throw new Error("the worker's process could not be started");
    this.pid = this.#child.pid;
    const { stdout, stderr } = this.#child;
    this.exited = Promise.all([once(this.#child, "exit"), this.#read(stdout), this.#read(stderr)]).then(
      ([[code, signal]]) => ({ code: code as number | null, signal: signal as NodeJS.Signals | null }),
    );
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** The interrupted streams are resumed and the watches are being walked. */
  async ready(deadline?: Deadline): Promise<void> {
    try {
      await this.said("interrupted streams resumed", deadline);
    } catch (error) {
      if (error instanceof NotMet) error.message += `\n${this.tail()}`;
      throw error;
    }
  }

  /** The first log line whose message contains this text. */
  async said(text: string, deadline: Deadline = {}): Promise<LogLine> {
    return await until(
      `the worker says "${text}"`,
      () => {
        const line = this.lines.find(({ msg }) => msg.includes(text));
        if (!line && !this.running)
          throw new Error(`the worker ended without saying "${text}"\n${this.tail()}`);
        return line;
      },
      deadline,
    );
  }

  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.exited;
  }

  /** SIGTERM; resolves when it has ended. */
  async terminate(): Promise<Exit> {
    this.#child.kill("SIGTERM");
    return await this.exited;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** The end of what it said, for the message of a failed test. */
  tail(): string {
    const lines = this.lines.slice(-12).map((line) => JSON.stringify(line));
    return [
      `worker ${this.pid} (${this.running ? "running" : "ended"}):`,
      ...lines,
      ...this.other.slice(-12),
    ].join("\n");
  }

  async #read(stream: Readable | null): Promise<void> {
    if (!stream) return;
    for await (const line of createInterface({ input: stream })) {
      const parsed = logLine(line);
      if (parsed) this.lines.push(parsed);
      else this.other.push(line);
    }
  }
}

function logLine(text: string): LogLine | undefined {
  try {
    const value = JSON.parse(text) as unknown;
    return typeof value === "object" && value !== null && "msg" in value ? (value as LogLine) : undefined;
  } catch {
    return undefined; // plain text: the reasons of a refused start, or a stack
  }
}
