/** A store's server for one test file: a process of its own on a free port of 127.0.0.1, gone with the test. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "../../../apps/worker/test/rig/until.ts";

export interface StoreServer extends AsyncDisposable {
  /** Name and version of what runs. */
  readonly program: string;
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Default: us-east-1. */
  readonly region?: string;
  /** Before the names of the suite's buckets, where others use the store too. */
  readonly bucketPrefix?: string;
  /** It answers requests for its own host only: the witness signs each request anew. */
  readonly checksHost?: boolean;
}

export const HOST = "127.0.0.1";
const ANSWERS_WITHIN_MS = 60_000;
const LOG_SHOWN_CHARS = 2_000;

/** The processes of one server and the directory they share; all of it goes at once. */
export class ServerHome implements AsyncDisposable {
  readonly directory = mkdtempSync(join(tmpdir(), "sluice-store-"));
  readonly #children: ChildProcess[] = [];
  readonly #end = () => this.#kill();

  constructor() {
    // A test process that dies takes its servers along.
    process.once("exit", this.#end);
  }

  at(...names: string[]): string {
    return join(this.directory, ...names);
  }

  /** A server in the foreground of its own process; what it writes is kept for the message of a failed start. */
  launch(program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): void {
    const out = openSync(this.at("server.log"), "a");
    const child = spawn(program, args, {
      cwd: this.directory,
      env: { PATH: process.env["PATH"], HOME: this.directory, ...env },
      stdio: ["ignore", out, out],
    });
    closeSync(out);
    child.once("error", (error) => console.error(`${program}: ${error.message}`));
    this.#children.push(child);
  }

  /** Until the server answers HTTP, whatever it says. */
  async answers(url: string): Promise<void> {
    try {
      await until(
        `${url} answers`,
        async () => {
          const ended = this.#children.find(
            ({ exitCode, signalCode }) => exitCode !== null || signalCode !== null,
          );
          if (ended) throw new Error(`${ended.spawnfile} ended`);
          return await fetch(url).then(
            (reply) => reply.status < 500,
            () => false,
          );
        },
        { withinMs: ANSWERS_WITHIN_MS },
      );
    } catch (error) {
      const said = readFileSync(this.at("server.log"), "utf8").slice(-LOG_SHOWN_CHARS);
      throw new Error(`the store did not come up: ${String(error)}\n${said}`, { cause: error });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    process.off("exit", this.#end);
    const running = this.#children.filter(
      ({ exitCode, signalCode }) => exitCode === null && signalCode === null,
    );
    const ended = running.map((child) => once(child, "exit"));
    this.#kill();
    await Promise.all(ended);
    rmSync(this.directory, { recursive: true, force: true });
  }

  #kill(): void {
    for (const child of this.#children) child.kill("SIGKILL");
  }
}
