/** `sluice top` on a terminal: it draws in place, and leaves the terminal as it was however it ends. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { startRedis } from "@sluice/redis-schema/testing";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startCliRig, type CliRig } from "./cli-rig.ts";
import { until } from "./rig/until.ts";

const MAIN = fileURLToPath(new URL("../src/main.mjs", import.meta.url));
const OPENED = "\u001b[?1049h\u001b[?25l";
const CLOSED = "\u001b[?25h\u001b[?1049l";

let rig: CliRig;
beforeAll(async () => {
  rig = await startCliRig(await startRedis());
  await rig.live("/rec/grow.mkv");
});
afterAll(async () => {
  await rig[Symbol.asyncDispose]();
  await rig.redis.stop();
});

it.each([
  ["q", "q"],
  ["Ctrl-C", "\u0003"],
])("shows what is at work until %s, and puts the screen back", async (_, key) => {
  // util-linux's script gives it a terminal of its own, 80 columns wide.
  const command = `stty cols 80 rows 24; exec ${process.execPath} ${MAIN} top --interval 500ms`;
  const child = spawn("script", ["-qec", command, "/dev/null"], {
    env: { PATH: process.env["PATH"], TERM: "xterm", ...rig.env },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  let said = "";
  child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
  await until("two pictures", () => said.split("\u001b[H").length > 2 && said.includes("grow.mkv"));
  child.stdin.write(key);
  expect(await exited).toEqual([0, null]);
  expect(said.startsWith(OPENED)).toBe(true);
  expect(said.trimEnd().endsWith(CLOSED)).toBe(true);
  for (const line of stripVTControlCharacters(said).split("\r\n"))
    expect(line.trimEnd().length, line).toBeLessThanOrEqual(80);
});
