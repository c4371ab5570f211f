/** A step of the night that takes too long is ended with all it started, whatever it does about that. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { identityOf } from "../lib/process-identity.mjs";
import { runStep } from "../nightly/run-step.ts";

const LAUNCHER = join(import.meta.dirname, "fixtures/launcher.mjs");
const IDLE = "setInterval(() => {}, 1000);";
const SAYS_PID = "console.log(`pid ${process.pid}`);";
/** Longer than any test: a step that needs the grace period is not done in time. */
const LONG_MS = 120_000;

let dir: string;
let pids: number[];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "sluice-nightly-"));
  pids = [];
});
afterEach(() => {
  for (const pid of pids) if (identityOf(pid)) process.kill(pid, "SIGKILL");
  rmSync(dir, { recursive: true });
});

/** As npm runs a step: below npm a launcher, which gives the program a process group of its own. */
async function run(program: string, options: { graceMs: number; endsWhen?: string }) {
  writeFileSync(join(dir, "program.mjs"), program);
  const script = `exec "${process.execPath}" "${LAUNCHER}" program.mjs`;
  writeFileSync(join(dir, "package.json"), JSON.stringify({ scripts: { step: script } }));
  const limit = new AbortController();
  let printed = "";
  return await runStep("npm", ["run", "-s", "step"], {
    cwd: dir,
    env: process.env,
    until: limit.signal,
    graceMs: options.graceMs,
    print: (text) => {
      printed += text;
      pids = [...printed.matchAll(/^pid (\d+)$/gm)].map(([, pid]) => Number(pid));
      if (options.endsWhen !== undefined && printed.includes(options.endsWhen)) limit.abort();
    },
  });
}

const living = () => pids.filter((pid) => identityOf(pid) !== undefined);

it("a step that ends in time is as good as its exit code, and its output is kept", async () => {
  expect(await run("console.log(1)", { graceMs: LONG_MS })).toEqual({ output: "1\n", isOk: true });
  expect(await run("process.exit(3)", { graceMs: LONG_MS })).toEqual({ output: "", isOk: false });
});

it("a program that ends on SIGTERM may do so in its own way", async () => {
  const polite = `process.on("SIGTERM", () => { console.log("cleaned up"); process.exit(0); });`;
  const step = await run(`${polite} ${SAYS_PID} ${IDLE} console.log("up")`, {
    graceMs: LONG_MS,
    endsWhen: "up\n",
  });
  expect(step.output).toContain("cleaned up");
  expect(step.isOk).toBe(false);
  expect(pids).toHaveLength(1);
  expect(living()).toEqual([]);
});

it("a program that ignores SIGTERM is killed after the grace period, with what it started in other groups", async () => {
  const stubborn = `process.on("SIGTERM", () => {}); ${SAYS_PID} ${IDLE}`;
  const child = `spawn(process.execPath, ["-e", ${JSON.stringify(`${stubborn} console.log("up")`)}], { detached: true, stdio: "inherit" });`;
  const step = await run(`import { spawn } from "node:child_process"; ${stubborn} ${child}`, {
    graceMs: 1_000,
    endsWhen: "up\n",
  });
  expect(step.isOk).toBe(false);
  expect(pids).toHaveLength(2);
  await expect.poll(living).toEqual([]);
});

it("a process that no longer belongs to the step cannot hold up the night by its output", async () => {
  const stray = `spawn(process.execPath, ["-e", "${IDLE}"], { detached: true, stdio: "inherit" });`;
  const parent = `import { spawn } from "node:child_process"; const { pid } = ${stray} console.log(\`pid \${pid}\`); process.exit(0);`;
  // Its parent ends, and nothing shows any more that the step started it.
  const code = `import { execFileSync } from "node:child_process"; execFileSync(process.execPath, ["--input-type=module", "-e", ${JSON.stringify(parent)}], { stdio: "inherit" }); ${SAYS_PID} console.log("up"); ${IDLE}`;
  const step = await run(code, { graceMs: LONG_MS, endsWhen: "up\n" });
  expect(step.isOk).toBe(false);
  expect(pids).toHaveLength(2);
  expect(living()).toEqual(pids.slice(0, 1));
});
