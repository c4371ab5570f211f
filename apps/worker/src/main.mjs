#!/usr/bin/env node
/**
 * `sluice <command>`: the exit code is the command's answer; an error says what is wrong and what to do. The sources
 * are compiled once: a later start loads the code from a cache next to the dependencies, in half the time and with a
 * fifth less memory. This file is JavaScript so that such a start never loads the compiler; if the cache cannot be
 * written, each start compiles again, and nothing else changes.
 *
 * A worker may get a signal, or lose its parent process, before it can react: both are recorded for it from the first
 * moment on, so that it then shuts down gracefully instead of being killed.
 */
import { enableCompileCache } from "node:module";
import { join } from "node:path";

const LOOK_AT_PARENT_MS = 500;

if (process.argv[2] === "worker") {
  keepForWorker("SIGTERM");
  keepForWorker("SIGINT");
  endWithParent();
}

// Not in the temporary directory, where other users could place code.
enableCompileCache(join(import.meta.dirname, "../../../node_modules/.cache/sluice"));
const { buildCli, runCli } = await import("./cli/cli.ts");
const { addWorkerCommand } = await import("./cli/worker-command.ts");

const program = buildCli();
addWorkerCommand(program);
await runCli(program);

/** @param {"SIGTERM" | "SIGINT"} signal Until the worker listens for it itself; then it gets it. */
function keepForWorker(signal) {
  let came = false;
  const keep = () => {
    came = true;
  };
  /** @param {string | symbol} name */
  const handOver = (name) => {
    if (name !== signal) return;
    process.off("newListener", handOver);
    if (came) setImmediate(() => process.emit(signal, signal));
  };
  process.on(signal, keep);
  process.on("newListener", handOver);
}

/** Our parent may be killed without notice; we then have another parent. */
function endWithParent() {
  const parent = process.env["LAUNCHER_PARENT"];
  delete process.env["LAUNCHER_PARENT"];
  if (parent === undefined) return;
  const watch = setInterval(() => {
    if (String(process.ppid) === parent) return;
    clearInterval(watch);
    process.kill(process.pid, "SIGTERM");
  }, LOOK_AT_PARENT_MS);
  watch.unref();
}
