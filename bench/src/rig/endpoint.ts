/** The discarding endpoint as a child process, and the requests it has counted. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import type { Mark } from "../discard/cpu-marks.ts";
import { askJson } from "./ask.ts";
import { firstLine } from "./child.ts";
import type { Certificate } from "./certificate.ts";

export interface Seen {
  requests: Record<string, number>;
  marks: Partial<
    Record<"begin" | "first_part" | "last_part" | "first_object" | "last_object" | "last_metadata", Mark>
  >;
  /** Of the endpoint itself, since its start. */
  endpoint_cpu_seconds: number;
}

export interface Endpoint extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** Restarts counting; marks include this process's CPU. */
  watch(pid: number): Promise<void>;
  seen(): Promise<Seen>;
  /** Takes connections and bytes and never answers, until thawed. */
  freeze(): void;
  thaw(): void;
}

const PROGRAM = join(import.meta.dirname, "../discard/endpoint.ts");

export interface EndpointOptions {
  certificate?: Certificate | undefined;
  /** Refuses bodies that their signature does not cover. */
  signedOnly?: boolean | undefined;
}

export async function startEndpoint(options: EndpointOptions = {}): Promise<Endpoint> {
  const { certificate, signedOnly = false } = options;
  const files = certificate === undefined ? [] : [certificate.cert, certificate.key];
  const child = spawn(process.execPath, [PROGRAM, ...files], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, BENCH_SIGNED_ONLY: signedOnly ? "1" : "" },
  });
  const port = Number(await firstLine(child));
  const scheme = certificate === undefined ? "http" : "https";
  const url = `${scheme}://127.0.0.1:${port}`;
  const ask = (path: string): Promise<unknown> => askJson(`${url}/-/${path}`, certificate);
  return {
    url,
    port,
    watch: async (pid) => void (await ask(`watch?pid=${pid}`)),
    seen: async () => (await ask("seen")) as Seen,
    freeze: () => void child.kill("SIGSTOP"),
    thaw: () => void child.kill("SIGCONT"),
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await new Promise((resolve) => child.once("exit", resolve));
    },
  };
}
