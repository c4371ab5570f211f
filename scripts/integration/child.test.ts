/** A supervised child: ready before anyone relies on it, back after a crash, gone after a stop with all it started. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import { identityOf } from "../lib/process-identity.mjs";
import { survivors } from "../start/child-record.ts";
import type { ChildSpec } from "../start/child.ts";
import { claimPort, rememberedPort } from "../start/ports.ts";
import { RESTART } from "../start/restart-delay.ts";
import { Stack } from "../start/stack.ts";

let dir: string;
let stack: Stack;
let printed: string[];
let finals: string[];
/** Called with each printed line, before the supervisor does anything else. */
let onPrint: (line: string) => void;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "sluice-child-"));
  printed = [];
  finals = [];
  onPrint = () => {};
  stack = new Stack(
    { runDir: join(dir, "run"), logDir: join(dir, "logs") },
    (name, line) => {
      printed.push(`${name}: ${line}`);
      onPrint(line);
    },
    (name, code, lastWords) => finals.push(`${name} ${code}: ${lastWords}`),
  );
});
afterEach(async () => {
  await stack.stop();
  rmSync(dir, { recursive: true });
});

/** A child that runs `code`, ready at once unless told otherwise. */
function spec(name: string, code: string, more: Partial<ChildSpec> = {}): ChildSpec {
  return {
    name,
    command: process.execPath,
    args: ["-e", code],
    cwd: dir,
    env: process.env,
    finalExitCodes: [78],
    stopWithinMs: 5_000,
    readyWithinMs: 5_000,
    isReady: () => Promise.resolve(true),
    ...more,
  };
}

const IDLE = "setInterval(() => {}, 1000)";
const pidOf = (name: string) => survivors(join(dir, "run")).find((child) => child.name === name)?.process.pid;
const logOf = (name: string) => readFileSync(join(dir, "logs", `${name}.log`), "utf8");

it("a crashed child is started again, and the terminal is told", async () => {
  await stack.start(spec("worker", IDLE));
  const first = pidOf("worker") as number;
  process.kill(first, "SIGKILL");
  await expect.poll(() => pidOf("worker"), { timeout: 5_000 }).not.toBe(undefined);
  await expect
    .poll(() => pidOf("worker") !== first && pidOf("worker") !== undefined, { timeout: 5_000 })
    .toBe(true);
  expect(printed).toContain("worker: ended (killed by SIGKILL); restarting it in 0.5 s");
});

it("a child that refuses its configuration while it runs is not started again, and its last words are told", async () => {
  const refusing = `setTimeout(() => { console.error("no such watch"); process.exit(78) }, 100)`;
  await stack.start(spec("worker", refusing));
  await expect
    .poll(() => finals)
    .toEqual([expect.stringMatching(/^worker 78: worker ended[^]*no such watch/)]);
  expect(pidOf("worker")).toBeUndefined();
});

it("a child that ends before it is ready fails the start with its last words", async () => {
  const dying = spec("web", `console.error("no such page"); process.exit(3)`, {
    isReady: () => Promise.resolve(false),
  });
  await expect(stack.start(dying)).rejects.toThrow(/web ended at its start \(exit code 3\)[^]*no such page/);
});

it("a child that never gets ready fails the start and is gone", async () => {
  const silent = spec("web", IDLE, { isReady: () => Promise.resolve(false), readyWithinMs: 300 });
  await expect(stack.start(silent)).rejects.toThrow(/not ready after 0.3 s/);
  expect(pidOf("web")).toBeUndefined();
});

it("a program that does not exist fails the start", async () => {
  const missing = spec("redis", "", { command: join(dir, "nothing"), isReady: () => Promise.resolve(false) });
  await expect(stack.start(missing)).rejects.toThrow(/redis ended at its start/);
});

it("children stop in the reverse order, each only when the one after it is gone", async () => {
  const order: string[] = [];
  const polite = (name: string) =>
    spec(
      name,
      `process.on("SIGTERM", () => setTimeout(() => process.exit(0), 100)); ${IDLE}; console.log("up")`,
    );
  for (const name of ["redis", "worker", "web"]) {
    await stack.start(polite(name));
    await expect.poll(() => logOf(name)).toContain("up");
  }
  const pids = new Map(["redis", "worker", "web"].map((name) => [name, pidOf(name) as number]));
  const watch = setInterval(() => {
    for (const [name, pid] of pids) if (!identityOf(pid) && !order.includes(name)) order.push(name);
  }, 10);
  await stack.stop();
  await expect.poll(() => order).toEqual(["web", "worker", "redis"]);
  clearInterval(watch);
});

it("a child that ignores the stop is killed with everything it started", async () => {
  const grandchild = `require("child_process").spawn(process.execPath, ["-e", ${JSON.stringify(IDLE)}])`;
  const stubborn = `process.on("SIGTERM", () => {}); console.log("grandchild " + ${grandchild}.pid); ${IDLE}`;
  await stack.start(spec("demo", stubborn, { stopWithinMs: 200 }));
  await expect.poll(() => logOf("demo")).toMatch(/grandchild \d+/);
  const pid = Number(/grandchild (\d+)/.exec(logOf("demo"))?.[1]);
  await stack.stop();
  await expect.poll(() => identityOf(pid)).toBeUndefined();
  expect(printed).toContain("demo: did not stop within 0.2 s: killing it");
});

it("a stop while a child is still starting ends the start", async () => {
  const starting = stack.start(spec("web", IDLE, { isReady: () => Promise.resolve(false) }));
  const [start, stop] = await Promise.allSettled([starting, stack.stop()]);
  expect([start.status, stop.status]).toEqual(["rejected", "fulfilled"]);
  expect(survivors(join(dir, "run"))).toEqual([]);
});

it("a taken port is refused by its number, its holder and the variable that changes it", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  try {
    const claim = claimPort("the dashboard", "127.0.0.1", port, "SLUICE_WEB_PORT");
    await expect(claim).rejects.toThrow(`port ${port} for the dashboard is taken by pid ${process.pid}`);
    await expect(claimPort("x", "127.0.0.1", port, "SLUICE_WEB_PORT")).rejects.toThrow(
      `SLUICE_WEB_PORT=${port + 1}`,
    );
    expect(await rememberedPort(port)).not.toBe(port);
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
  expect(await rememberedPort(port)).toBe(port);
});

it("a restart that was asked for is polite and at once", async () => {
  const polite = "process.on('SIGTERM', () => { console.log('error: asked politely'); process.exit(0) });";
  await stack.start(spec("worker", `${polite} console.log('warning: up'); ${IDLE}`));
  const first = pidOf("worker") as number;
  await expect.poll(() => printed, { timeout: 5_000 }).toContain("worker: warning: up");
  stack.restart("worker", "a.ts changed");
  stack.restart("worker", "b.ts changed");
  await expect.poll(() => printed, { timeout: 5_000 }).toContain("worker: a.ts changed: restarting it");
  await expect.poll(() => [undefined, first].includes(pidOf("worker")), { timeout: 5_000 }).toBe(false);
  expect(printed.filter((line) => line.endsWith("asked politely"))).toHaveLength(1);
  expect(printed.join("\n")).not.toContain("b.ts");
  expect(finals).toEqual([]);
});

it("a restart that was asked for while a crashed child waits ends the wait", async () => {
  await stack.start(spec("worker", IDLE));
  const first = pidOf("worker") as number;
  // The line comes just before the wait, and a microtask follows as soon as the wait has begun. Timers run in the order of
  // their ends, however late: what is printed at half the wait was not printed because the wait ran out.
  const printedAtHalfTheWait = new Promise<string[]>((resolve) => {
    onPrint = (line) => {
      if (!line.includes("killed by SIGKILL")) return;
      queueMicrotask(() => {
        stack.restart("worker", "c.ts changed");
        void delay(RESTART.firstDelayMs / 2).then(() => resolve([...printed]));
      });
    };
  });
  process.kill(first, "SIGKILL");
  expect(await printedAtHalfTheWait).toEqual([
    "worker: ended (killed by SIGKILL); restarting it in 0.5 s",
    "worker: c.ts changed: restarting it",
  ]);
  await expect.poll(() => [undefined, first].includes(pidOf("worker")), { timeout: 5_000 }).toBe(false);
  expect(finals).toEqual([]);
});
