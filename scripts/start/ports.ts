/** Claims a port, or throws an error that says which process has it and how to choose another. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { createServer } from "node:net";
import { identityOf } from "../lib/process-identity.mjs";
import { StartError } from "./start-error.ts";

const MAX_PORT = 65_535;
const LISTENING = "0A";

/** Reads a port from `env[variable]`; 0 means any free one. Throws StartError when it is not a port. */
export function portFrom(env: NodeJS.ProcessEnv, variable: string, fallback: number): number {
  const text = env[variable];
  if (text === undefined || text === "") return fallback;
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= MAX_PORT) return port;
  throw new StartError(`${variable}=${text}: a port is a whole number from 0 to ${MAX_PORT}`);
}

/**
 * Binds to `port` on `host` and closes it again. Resolves to the port that was free; 0 asks for any. Rejects with the
 * bind's error.
 */
function tryPort(host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen({ host, port, exclusive: true }, () => {
      const address = server.address();
      const bound = typeof address === "object" && address ? address.port : port;
      server.close(() => resolve(bound));
    });
  });
}

/** Resolves to a usable port or throws StartError that names the port, its holder and `variable`. */
export async function claimPort(what: string, host: string, port: number, variable: string): Promise<number> {
  try {
    return await tryPort(host, port);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === "EADDRINUSE") {
      const holder = holderOfPort(port);
      const who = holder
        ? `by ${holder}`
        : "by another process (of another user, or it cannot be seen from here)";
      throw new StartError(
        `port ${port} for ${what} is taken ${who}.\nStop that process or choose another port: ${variable}=${port + 1} npm start`,
        { cause },
      );
    }
    if (code === "EACCES") {
      throw new StartError(
        `port ${port} for ${what} needs more rights; choose one above 1023 with ${variable}`,
        { cause },
      );
    }
    throw new StartError(`${what} cannot listen on ${host} port ${port}: ${message}`, { cause });
  }
}

/** The last port if it is still free, so that addresses stay the same over restarts; otherwise any free one. */
export async function rememberedPort(last: number | undefined): Promise<number> {
  if (last === undefined) return tryPort("127.0.0.1", 0);
  return tryPort("127.0.0.1", last).catch(() => tryPort("127.0.0.1", 0));
}

/** The process that listens on `port`, as `pid 12 (command)`; undefined if unknown. */
function holderOfPort(port: number): string | undefined {
  const pid = process.platform === "linux" ? holderFromProc(port) : holderFromLsof(port);
  const command = pid === undefined ? undefined : identityOf(pid)?.command;
  return command === undefined ? undefined : `pid ${pid} (${command.slice(0, 120)})`;
}

function holderFromProc(port: number): number | undefined {
  const sockets = new Set(["/proc/net/tcp", "/proc/net/tcp6"].flatMap((table) => listeners(table, port)));
  if (sockets.size === 0) return undefined;
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.map(Number).find((pid) => socketsOf(pid).some((socket) => sockets.has(socket)));
}

/** Inodes of the sockets that listen on `port`, as `/proc/<pid>/fd` links to them. */
function listeners(table: string, port: number): string[] {
  const hexPort = port.toString(16).toUpperCase().padStart(4, "0");
  return readIfThere(table)
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[1]?.endsWith(`:${hexPort}`) && fields[3] === LISTENING)
    .map((fields) => `socket:[${fields[9]}]`);
}

/** A process that ends meanwhile, or belongs to another user, has no visible sockets. */
function socketsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((fd) => {
      try {
        return readlinkSync(`/proc/${pid}/fd/${fd}`);
      } catch {
        return "";
      }
    });
  } catch {
    return [];
  }
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, "latin1");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}

function holderFromLsof(port: number): number | undefined {
  try {
    const pid = execFileSync("lsof", ["-nP", "-t", `-iTCP:${port}`, "-sTCP:LISTEN"], {
      encoding: "utf8",
      stdio: "pipe",
    });
    return Number(pid.split("\n")[0]) || undefined;
  } catch {
    // lsof is missing or sees nothing: the holder stays unknown, which the message says.
    return undefined;
  }
}
