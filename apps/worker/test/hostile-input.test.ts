/** What a command line is given by mistake or on purpose: it ends soon, with the right code, and speaks to no terminal. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sluice, type Answer } from "./cli-process.ts";
import { startCliRig, startRedis, type CliRig } from "./cli-rig.ts";

const MAIN = fileURLToPath(new URL("../src/main.mjs", import.meta.url));
const RAW = /[\p{Cc}\p{Cf}]/u;
const EVIL = "\u001b[31m\u0007\u009b2J\u202e\u2066x";
/** A start that waits for what never comes is killed by then. */
const WITHIN_MS = 5_000;

let directory: string;
let rig: CliRig;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "sluice-hostile-"));
  rig = await startCliRig(await startRedis());
});
afterAll(async () => {
  rmSync(directory, { recursive: true });
  await rig[Symbol.asyncDispose]();
  await rig.redis.stop();
});

async function soon(answer: Promise<Answer>): Promise<Answer> {
  const from = performance.now();
  const told = await answer;
  expect(performance.now() - from).toBeLessThan(WITHIN_MS);
  return told;
}

describe("a configuration file", () => {
  it.each<[string, (path: string) => string, RegExp]>([
    [
      "that is a pipe nobody writes to",
      (path) => {
        expect(spawnSync("mkfifo", [path]).status).toBe(0);
        return path;
      },
      /not a regular file/,
    ],
    ["that never ends", () => "/dev/zero", /not a regular file/],
    [
      "that is a directory",
      (path) => {
        mkdirSync(path);
        return path;
      },
      /is a directory/,
    ],
    [
      "that is larger than any",
      (path) => {
        writeFileSync(path, "# line\n".repeat(400_000));
        return path;
      },
      /more than 1 MiB: that is passed at line 149797/,
    ],
  ])("%s ends the start with 78", async (name, make, why) => {
    const path = make(join(directory, name.replaceAll(" ", "-")));
    const worker = await soon(sluice(["worker"], { env: { SLUICE_CONFIG: path } }));
    expect([worker.code, worker.stderr]).toEqual([78, expect.stringMatching(why)]);
    const secret = await soon(
      sluice(["config", "validate", "--for", "dashboard"], { env: { SLUICE_WEB_PASSWORD_FILE: path } }),
    );
    expect([secret.code, secret.stdout]).toEqual([78, expect.stringMatching(why)]);
  });
});

describe("a terminal", () => {
  it.each<[string, string[], Record<string, string>]>([
    ["a setting of the worker", ["worker"], { SLUICE_PART_SIZE: EVIL }],
    ["a watch", ["worker"], { SLUICE_WATCH: `/a${EVIL},/a${EVIL}/b`, SLUICE_S3_BUCKET: "b" }],
    ["a file's name", ["worker"], { SLUICE_CONFIG: `/no/${EVIL}` }],
    ["an unknown option", ["ls", `--${EVIL}`], {}],
    ["an unknown command", [EVIL], {}],
    ["an unknown stream", ["show", EVIL], {}],
    ["a Redis", ["ls"], { SLUICE_REDIS_URL: `redis://${EVIL}:1` }],
  ])("is sent nothing raw of what was given: %s", async (_, args, env) => {
    const { code, stdout, stderr } = await soon(sluice(args, { env: { ...rig.env, ...env } }));
    expect(code).not.toBe(0);
    for (const line of (stdout + stderr).split("\n")) expect(line).not.toMatch(RAW);
  });
});

describe("the output", () => {
  beforeAll(async () => void (await rig.live("/rec/a.mkv")));

  async function into(redirect: string, args: string): Promise<{ code: number | null; stderr: string }> {
    const child = spawn(
      "bash",
      ["-c", `set -o pipefail; "$0" ${MAIN} ${args} ${redirect}`, process.execPath],
      {
        env: { PATH: process.env["PATH"], ...rig.env },
        stdio: ["ignore", "ignore", "pipe"],
      },
    );
    let stderr = "";
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    const [code] = (await once(child, "close")) as [number | null];
    return { code, stderr };
  }

  it.each(["ls", "config print", "--help", "export"])(
    "on a full disk is an error in one line: %s",
    async (args) => {
      const { code, stderr } = await into("> /dev/full", args);
      expect([code, stderr]).toEqual([
        74,
        expect.stringMatching(/^the output cannot be written: ENOSPC[^\n]*\n$/),
      ]);
      expect(await into("> /dev/full 2>&1", args)).toEqual({ code: 74, stderr: "" });
    },
  );

  it.each(["config print", "export", "--help"])(
    "that nobody reads any more ends quietly: %s",
    async (args) => {
      expect(await into("| true", args)).toEqual({ code: 0, stderr: "" });
      expect((await into("2>&1 | true", "show nothing")).stderr).toBe("");
    },
  );

  it("of a failure is JSON where JSON was asked for", async () => {
    for (const args of [["show", "nothing"], ["verify", "nothing", "--bucket", "unknown"], ["retry"]]) {
      const { code, stdout, stderr } = await soon(rig.sluice([...args, "--json"]));
      expect(stdout === "" || typeof JSON.parse(stdout) === "object").toBe(true);
      const [line = ""] = stderr.trim().split("\n");
      expect(JSON.parse(line)).toEqual({ error: expect.any(String), exit_code: code });
    }
  });
});

describe("verify", () => {
  beforeAll(() => rig.pretendWorker());

  it("of a bucket that no worker has says so at once", async () => {
    const { code, stderr } = await soon(rig.sluice(["verify", "some/key", "--bucket", "unknown"]));
    expect([code, stderr]).toEqual([
      1,
      "No live worker uses the bucket unknown; live workers use recordings.\n",
    ]);
  });

  it.each(["__proto__", "constructor", "toString"])(
    "of a key called %s waits for its answer as any other",
    async (key) => {
      const { code, stderr } = await soon(
        rig.sluice(["verify", key, "--bucket", "recordings", "--wait", "1s"]),
      );
      expect([code, stderr]).toEqual([75, expect.stringContaining("No worker has answered in time")]);
    },
  );
});
