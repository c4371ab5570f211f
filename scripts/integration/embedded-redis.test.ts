/** The embedded Redis keeps what it acknowledged, and whoever kills what, the next start works. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, globSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, expect, it } from "vitest";
import { identityOf } from "../lib/process-identity.mjs";

interface Started {
  readonly process: ChildProcess;
  readonly url: URL;
  readonly pid: number;
  readonly ended: string[];
}

let stateDir: string;
let pids: number[] = [];

beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), "sluice state "));
});
afterEach(() => {
  for (const pid of pids) if (identityOf(pid)) process.kill(pid, "SIGKILL");
  pids = [];
  rmSync(stateDir, { recursive: true, force: true });
});

async function start(): Promise<Started> {
  const supervisor = spawn(
    process.execPath,
    [join(import.meta.dirname, "fixtures/supervisor.ts"), stateDir],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  const [line] = (await once(createInterface({ input: supervisor.stdout }), "line")) as [string];
  const told = JSON.parse(line) as { url: string; pid: number; ended: string[] };
  pids.push(told.pid);
  return { process: supervisor, url: new URL(told.url), pid: told.pid, ended: told.ended };
}

async function kill(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const exit = once(child, "exit");
  child.kill(signal);
  await exit;
}

/** One inline command after signing in; resolves to its reply. */
async function ask(url: URL, command: string): Promise<string> {
  const socket = createConnection(Number(url.port), url.hostname);
  socket.write(`AUTH ${url.password}\r\n${command}\r\nQUIT\r\n`);
  let reply = "";
  for await (const chunk of socket) reply += String(chunk);
  return reply.split("\r\n").slice(1, -2).join("\n");
}

it("what was written is there after a polite stop, on the same port", async () => {
  const first = await start();
  expect(await ask(first.url, "SET kept 1")).toBe("+OK");
  await kill(first.process, "SIGTERM");
  expect(identityOf(first.pid)).toBeUndefined();
  const second = await start();
  expect(second.url.href).toBe(first.url.href);
  expect(await ask(second.url, "GET kept")).toContain("1");
  await kill(second.process, "SIGTERM");
});

it("evicts nothing, keeps an append-only file and answers nobody without the password", async () => {
  const { url, process: supervisor } = await start();
  expect(await ask(url, "CONFIG GET maxmemory-policy")).toContain("noeviction");
  expect(await ask(url, "CONFIG GET appendonly")).toContain("yes");
  expect(await ask(url, "CONFIG GET bind")).toContain("127.0.0.1");
  const stranger = new URL(url);
  stranger.password = "wrong";
  expect(await ask(stranger, "GET kept")).toContain("NOAUTH");
  expect(statSync(join(stateDir, "redis-password")).mode & 0o777).toBe(0o600);
  expect(statSync(join(stateDir, "redis.conf")).mode & 0o777).toBe(0o600);
  await kill(supervisor, "SIGTERM");
});

it("a Redis that outlived its killed supervisor is ended before a new one writes to the same files", async () => {
  const first = await start();
  expect(await ask(first.url, "SET kept 2")).toBe("+OK");
  await kill(first.process, "SIGKILL");
  expect(identityOf(first.pid)).toBeDefined();
  const second = await start();
  expect(second.ended).toEqual(["redis"]);
  expect(identityOf(first.pid)).toBeUndefined();
  expect(await ask(second.url, "GET kept")).toContain("2");
  await kill(second.process, "SIGTERM");
});

it("one whose record was lost is known by its password and ended too", async () => {
  const first = await start();
  expect(await ask(first.url, "SET kept 3")).toBe("+OK");
  await kill(first.process, "SIGKILL");
  rmSync(join(stateDir, "run"), { recursive: true });
  const second = await start();
  expect(second.ended).toEqual([]);
  expect(identityOf(first.pid)).toBeUndefined();
  expect(await ask(second.url, "GET kept")).toContain("3");
  await kill(second.process, "SIGTERM");
});

it("R2: a command cut short at the end of the append-only file costs that command only", async () => {
  const first = await start();
  expect(await ask(first.url, "SET kept 4")).toBe("+OK");
  await kill(first.process, "SIGTERM");
  const [file] = globSync(join(stateDir, "redis/appendonlydir/*.incr.aof"));
  appendFileSync(file as string, "*3\r\n$3\r\nSET\r\n$4\r\nlost\r\n$1");
  const second = await start();
  expect(await ask(second.url, "GET kept")).toContain("4");
  expect(await ask(second.url, "EXISTS lost")).toBe(":0");
  await kill(second.process, "SIGTERM");
});

it("a crashed Redis is started again by the supervisor", async () => {
  const { url, pid, process: supervisor } = await start();
  expect(await ask(url, "SET kept 5")).toBe("+OK");
  process.kill(pid, "SIGKILL");
  await expect.poll(() => ask(url, "GET kept").catch(() => ""), { timeout: 10_000 }).toContain("5");
  await kill(supervisor, "SIGTERM");
  await expect(ask(url, "PING")).rejects.toThrow("ECONNREFUSED");
  expect(readFileSync(join(stateDir, "logs/redis.log"), "utf8")).toContain("restarting it in 0.5 s");
});
