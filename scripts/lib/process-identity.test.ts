import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { tryLock, withLock } from "./lock.mjs";
import { identityOf, stillLives } from "./process-identity.mjs";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "sluice-lock-"));
});
afterEach(() => rmSync(dir, { recursive: true }));

/** Runs until killed. */
const idle = () => spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore" });

it("a process lives under its identity until it ends", async () => {
  const child = idle();
  const identity = identityOf(child.pid as number);
  expect(identity && stillLives(identity)).toBe(true);
  child.kill("SIGKILL");
  await once(child, "exit");
  expect(identity && stillLives(identity)).toBe(false);
});

it("another process under the same pid is not the recorded one", () => {
  const self = identityOf(process.pid);
  expect(self && stillLives({ ...self, started: `${self.started}1` })).toBe(false);
});

it("a second holder waits until the first one is done", async () => {
  const file = join(dir, "run", "x.lock");
  const order: string[] = [];
  let second: Promise<unknown> | undefined;
  const first = async () => {
    second = withLock(
      file,
      () => Promise.resolve(order.push("second works")),
      () => order.push("second waits"),
    );
    await expect.poll(() => order).toEqual(["second waits"]);
    order.push("first is done");
  };
  await withLock(file, first, () => expect.unreachable());
  await second;
  expect(order).toEqual(["second waits", "first is done", "second works"]);
});

it("a lock is free again after its work failed", async () => {
  const file = join(dir, "x.lock");
  await expect(
    withLock(
      file,
      () => Promise.reject(new Error("no")),
      () => {},
    ),
  ).rejects.toThrow("no");
  expect(tryLock(file)).toBeUndefined();
});

it.each(["", "{", '{"pid":1,"started":"another boot","command":"init"}'])(
  "a lock left behind by a killed holder is taken over: %j",
  (content) => {
    const file = join(dir, "x.lock");
    writeFileSync(file, content);
    expect(tryLock(file)).toBeUndefined();
    expect(tryLock(file)?.pid).toBe(process.pid);
  },
);
