/** `npm run dev`: everything from its sources, a worker that restarts when one of them changes, and nothing left running. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { readEmbedded } from "../lib/embedded.mjs";
import { stillLives } from "../lib/process-identity.mjs";
import { survivors } from "../start/child-record.ts";

const ROOT = join(import.meta.dirname, "../..");
const SOURCE = "apps/worker/src/version.ts";
/** Five programs start, on a machine that may be busy. */
const UP_WITHIN_MS = 120_000;
const RESTARTED_WITHIN_MS = 60_000;

it(
  "starts with sample recordings, restarts the worker when its sources change, stops cleanly",
  { timeout: 240_000 },
  async () => {
    const state = mkdtempSync(join(tmpdir(), "sluice-dev-"));
    const own = Object.entries(process.env).filter(([name]) => !/^(SLUICE|AWS|LAUNCHER)_/.test(name));
    const env = { ...Object.fromEntries(own), SLUICE_WEB_PORT: "0", SLUICE_HTTP_PORT: "0" };
    const dev = spawn(process.execPath, ["scripts/start.ts", "--dev", "--state", state], { cwd: ROOT, env });
    onTestFinished(async () => {
      if (dev.exitCode === null && dev.signalCode === null) {
        dev.kill("SIGTERM");
        await once(dev, "exit");
      }
      rmSync(state, { recursive: true, force: true });
    });
    let said = "";
    for (const output of [dev.stdout, dev.stderr])
      output.on("data", (chunk: Buffer) => (said += chunk.toString()));
    const children = () => survivors(join(state, "run"));
    const worker = () => children().find(({ name }) => name === "worker")?.process;

    await expect.poll(() => said, { timeout: UP_WITHIN_MS }).toContain("Sample recordings are growing");
    expect(said).toContain("The worker restarts when its sources change");
    await expect
      .poll(() => readdirSync(join(state, "inbox")).length, { timeout: UP_WITHIN_MS })
      .toBeGreaterThan(0);
    const first = worker();
    if (first === undefined) throw new Error(`no worker runs:\n${said}`);

    utimesSync(join(ROOT, SOURCE), new Date(), new Date());
    await expect
      .poll(() => said, { timeout: RESTARTED_WITHIN_MS })
      .toContain(`${SOURCE} changed: restarting it`);
    const health = `http://127.0.0.1:${readEmbedded(state)?.worker?.["SLUICE_HTTP_PORT"]}/livez`;
    const answersAgain = () =>
      fetch(health).then(
        ({ status }) => status === 200 && worker()?.pid !== first.pid,
        () => false,
      );
    await expect.poll(answersAgain, { timeout: RESTARTED_WITHIN_MS }).toBe(true);
    expect(stillLives(first)).toBe(false);

    const running = children();
    expect(running.map(({ name }) => name).toSorted()).toEqual(["demo", "redis", "s3", "web", "worker"]);
    dev.kill("SIGINT");
    expect(await once(dev, "exit")).toEqual([0, null]);
    expect(said).toContain("stopped.");
    expect(running.filter(({ process }) => stillLives(process))).toEqual([]);
  },
);
