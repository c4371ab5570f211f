import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { isKnownDead, ownIdentity } from "./process-identity.ts";

test("a living process of this host is not known to be dead", () => {
  const own = ownIdentity();
  expect(isKnownDead(own, own)).toBe(false);
});

test("a process that ended is, and so is one whose pid a later process has", async () => {
  const own = ownIdentity();
  const child = spawn(process.execPath, ["-e", ""]);
  await once(child, "exit");
  expect(isKnownDead({ ...own, pid: child.pid ?? 0 }, own)).toBe(true);
  expect(isKnownDead({ ...own, process_started: "1" }, own)).toBe(true);
});

test.each([{ boot_id: "another boot" }, { pid_namespace: "pid:[1]" }])(
  "nothing is known of a process elsewhere: %o",
  (elsewhere) => {
    const own = ownIdentity();
    expect(isKnownDead({ ...own, ...elsewhere, pid: 2 ** 22 + 1 }, own)).toBe(false);
  },
);

test("where /proc tells nothing, nobody is known to be dead", () => {
  const blind = { ...ownIdentity(), boot_id: "", pid_namespace: "" };
  expect(isKnownDead({ ...blind, pid: 2 ** 22 + 1 }, blind)).toBe(false);
});
