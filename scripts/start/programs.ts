/** The programs of the stack as child specs: their environment and when they count as ready. */
import { createConnection } from "node:net";
import { join, resolve } from "node:path";
import { CONFIG_VARIABLE } from "@sluice/config/sources/environment";
import type { ChildSpec } from "./child.ts";

type Env = NodeJS.ProcessEnv;

/** EX_CONFIG: the program refused its configuration, and would again. */
const EXIT_CONFIG = 78;
/** The worker's drain timeout plus a margin. */
const WORKER_STOP_WITHIN_MS = 30_000;
const STOP_WITHIN_MS = 10_000;
const READY_WITHIN_MS = 60_000;
const HTTP_WITHIN_MS = 2_000;

/** The dashboard gets no store credentials, whatever the environment has. */
const NOT_FOR_THE_DASHBOARD = /^AWS_|^SLUICE_S3_/;

export interface Paths {
  readonly root: string;
  readonly stateDir: string;
  readonly inbox: string;
}

export function s3Spec({ root, stateDir }: Paths, port: number, env: Env): ChildSpec {
  const args = [
    "packages/local-s3/src/main.ts",
    "--dir",
    join(stateDir, "s3"),
    "--port",
    String(port),
    "--host",
    "127.0.0.1",
  ];
  return {
    ...nodeChild("s3", root, args, env),
    // Any answer is enough: without credentials it is an error, but an S3 error.
    isReady: () => answers(`http://127.0.0.1:${port}/`, () => true),
  };
}

/** As the image and the archive start it: a third less memory with 2,000 growing files. */
const YOUNG_HEAP = "--max-semi-space-size=16";

export function workerSpec({ root }: Paths, http: { host: string; port: number }, env: Env): ChildSpec {
  return {
    ...nodeChild("worker", root, [YOUNG_HEAP, "apps/worker/src/main.mjs", "worker"], env),
    finalExitCodes: [EXIT_CONFIG],
    stopWithinMs: WORKER_STOP_WITHIN_MS,
    isReady: () => answers(`${baseUrl(http.host, http.port)}/livez`, (status) => status === 200),
  };
}

export function webSpec({ root }: Paths, http: { host: string; port: number }, env: Env): ChildSpec {
  const kept = Object.fromEntries(Object.entries(env).filter(([name]) => !NOT_FOR_THE_DASHBOARD.test(name)));
  return {
    ...nodeChild("web", root, ["apps/web/start.mjs"], {
      ...kept,
      SLUICE_WEB_HOST: http.host,
      SLUICE_WEB_PORT: String(http.port),
    }),
    finalExitCodes: [EXIT_CONFIG],
    // The login page; a server error is an answer too, and its log shows the reason.
    isReady: () => answers(baseUrl(http.host, http.port), (status) => status < 500),
  };
}

/** Next compiles each page when it is first asked for, and again when its sources change. */
export function webDevSpec(paths: Paths, http: { host: string; port: number }, env: Env): ChildSpec {
  // Next's own directory is another one: the file that was named from here is named from anywhere.
  const config = env[CONFIG_VARIABLE];
  const web = webSpec(paths, http, {
    ...env,
    ...(config ? { [CONFIG_VARIABLE]: resolve(paths.root, config) } : {}),
    NODE_ENV: "development",
    NEXT_TELEMETRY_DISABLED: "1",
  });
  return {
    ...web,
    args: ["node_modules/next/dist/bin/next", "dev", "--hostname", http.host, "--port", String(http.port)],
    cwd: join(paths.root, "apps/web"),
    finalExitCodes: [],
    // Waiting for an answer would mean waiting for a page to be compiled, which happens when it is first opened.
    isReady: () => listens(http.host, http.port),
  };
}

export function demoSpec({ root, inbox }: Paths, env: Env): ChildSpec {
  return {
    ...nodeChild("demo", root, ["scripts/demo.ts", "--dir", inbox], env),
    finalExitCodes: [0],
    isReady: () => Promise.resolve(true),
  };
}

/** The address of a server bound to `host`, as a browser on this machine reaches it. */
export function baseUrl(host: string, port: number): string {
  if (host === "0.0.0.0" || host === "") return `http://127.0.0.1:${port}`;
  if (host === "::") return `http://[::1]:${port}`;
  return host.includes(":") ? `http://[${host}]:${port}` : `http://${host}:${port}`;
}

function nodeChild(
  name: string,
  root: string,
  args: readonly string[],
  env: Env,
): Omit<ChildSpec, "isReady"> {
  return {
    name,
    command: process.execPath,
    args,
    cwd: root,
    env,
    finalExitCodes: [],
    stopWithinMs: STOP_WITHIN_MS,
    readyWithinMs: READY_WITHIN_MS,
  };
}

function listens(host: string, port: number): Promise<boolean> {
  const { hostname } = new URL(baseUrl(host, port));
  return new Promise((resolve) => {
    const socket = createConnection({ host: hostname.replaceAll(/[[\]]/g, ""), port });
    socket.once("error", () => resolve(false));
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
  });
}

async function answers(url: string, isGood: (status: number) => boolean): Promise<boolean> {
  try {
    const reply = await fetch(url, { signal: AbortSignal.timeout(HTTP_WITHIN_MS), redirect: "manual" });
    await reply.body?.cancel();
    return isGood(reply.status);
  } catch {
    return false; // Not listening yet.
  }
}
