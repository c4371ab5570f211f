/** A command run by the bootstrap ends, is signalled and is left alone exactly as if it had been started directly. */
import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, expect, it } from "vitest";
import { identityOf } from "../lib/process-identity.mjs";

const FIXTURES = join(import.meta.dirname, "fixtures");
const LAUNCHER = join(FIXTURES, "launcher.mjs");
/** Signals closer together than this are one Ctrl-C. */
const SAME_SIGNAL_MS = 400;

type Launched = ChildProcessByStdio<null, Readable, null> & { said: string[] };
let pids: number[] = [];
afterEach(() => {
  for (const pid of pids) if (identityOf(pid)) process.kill(pid, "SIGKILL");
  pids = [];
});

function launch(command: string, args: string[]): Launched {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
  const said: string[] = [];
  child.stdout.on("data", (chunk) => said.push(...String(chunk).trim().split("\n")));
  return Object.assign(child, { said });
}

const launchCode = (code: string) => launch(process.execPath, [LAUNCHER, "-e", code]);

async function launchListener(command = process.execPath, args = [LAUNCHER, join(FIXTURES, "listener.mjs")]) {
  const child = launch(command, args);
  await expect.poll(() => child.said[0], { timeout: 5_000 }).toMatch(/^pid \d+$/);
  const pid = Number(child.said[0]?.slice(4));
  pids.push(pid);
  return { child, pid };
}

it("the exit code and the standard output are the command's own", async () => {
  const child = launchCode("console.log(1); process.exit(42)");
  expect(await once(child, "exit")).toEqual([42, null]);
  expect(child.said).toEqual(["1"]);
});

it("a command that dies of a signal makes its launcher die of the same one", async () => {
  const child = launchCode("process.kill(process.pid, 'SIGKILL')");
  expect(await once(child, "exit")).toEqual([null, "SIGKILL"]);
});

it("one Ctrl-C that arrives twice, from the terminal and from npm, is passed on once", async () => {
  const { child } = await launchListener();
  child.kill("SIGINT");
  child.kill("SIGINT");
  await expect.poll(() => child.said).toContain("SIGINT");
  await delay(SAME_SIGNAL_MS + 100);
  child.kill("SIGINT");
  await expect.poll(() => child.said.filter((line) => line === "SIGINT")).toHaveLength(2);
  child.kill("SIGTERM");
  expect(await once(child, "exit")).toEqual([7, null]);
  expect(child.said.slice(1)).toEqual(["SIGINT", "SIGINT", "SIGTERM"]);
});

it("a command is told once when npm is killed above its launcher", async () => {
  const above = `require("child_process").spawn(process.execPath, ${JSON.stringify([LAUNCHER, join(FIXTURES, "listener.mjs")])}, { stdio: "inherit" })`;
  const { child, pid } = await launchListener(process.execPath, ["-e", above]);
  child.kill("SIGKILL");
  await expect.poll(() => identityOf(pid), { timeout: 5_000 }).toBeUndefined();
  expect(child.said.slice(1)).toEqual(["SIGTERM"]);
});

it("a command notices that its launcher itself was killed", async () => {
  const { child, pid } = await launchListener();
  child.kill("SIGKILL");
  await expect.poll(() => identityOf(pid), { timeout: 5_000 }).toBeUndefined();
  expect(child.said.slice(1)).toEqual(["launcher gone"]);
});

it("D7j: the launcher becomes the worker: killing the one kills the other, and it is told whose child it is", async () => {
  const code =
    "console.log(`pid ${process.pid} ${process.env.LAUNCHER_PARENT}`); setInterval(() => {}, 1000)";
  const child = launch(process.execPath, [join(FIXTURES, "becoming.mjs"), "-e", code]);
  await expect.poll(() => child.said[0], { timeout: 5_000 }).toBe(`pid ${child.pid} ${process.pid}`);
  child.kill("SIGKILL");
  expect(await once(child, "exit")).toEqual([null, "SIGKILL"]);
});
