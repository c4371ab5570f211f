/**
 * The day of someone who has an hour to judge it: the README from its top, as an ordinary user, with a kill -9 in the middle
 * of a recording.
 */
import { deepStrictEqual as same, match, ok } from "node:assert/strict";
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { until } from "../../apps/worker/test/rig/until.ts";
import type { Claims } from "../compose/claims.ts";
import { end, Person } from "./person.ts";

const MIB = 1024 * 1024;
const UP = { withinMs: 15 * 60_000, everyMs: 500 };
/** A recording grows by a mebibyte so often: the pace of its writer, nothing waits for it. */
const CHUNK_EVERY_MS = 250;
/** Of the recording before and after the kill. */
const CHUNKS = 24;
const PARTS_BEFORE_KILL = 8 * MIB;

export async function evaluatorDay(claims: Claims): Promise<void> {
  await using person = await Person.withClone();
  const sluice = async (...args: string[]): Promise<string> =>
    await person.mustRun(["npm", "run", "-s", "sluice", "--", ...args]);
  const streams = async (): Promise<{ id: string; bytes_sent?: number; original_path: string }[]> =>
    JSON.parse(await sluice("ls", "active", "--json")) as [];
  const file = join(person.clone, "inbox/evening.mkv");
  let running = person.start(["npm", "start", "--", "--demo"]);
  const isUp = async (): Promise<string> =>
    await until(
      "npm start says where the dashboard is",
      () => {
        if (running.exitCode !== null) throw new Error(person.said);
        return /Sluice is running\.[^]*Dashboard +(\S+)/.exec(person.said)?.[1];
      },
      UP,
    );
  let address = "";
  await claims.must("`npm start -- --demo` from a fresh clone brings everything, without root", async () => {
    address = await isUp();
  });
  await claims.holds("the dashboard answers at the address it prints", async () => {
    same((await fetch(`${address}/login`)).status, 200);
  });
  await claims.holds("each command of the README's first page does what its comment says", async () => {
    const [row] = await until("sample recordings grow", async () => {
      const rows = await streams();
      return rows.some(({ bytes_sent: bytes = 0 }) => bytes > 0) && rows;
    });
    for (const command of readmeCommands(person.clone))
      ok((await person.mustRun(["sh", "-ec", command.replace("<id>", row?.id ?? "")])) !== "", command);
  });
  const grow = async (): Promise<void> => {
    for (let chunk = 0; chunk < CHUNKS; chunk += 1) {
      appendFileSync(file, randomBytes(MIB));
      await sleep(CHUNK_EVERY_MS);
    }
  };
  await claims.must("all of it is killed by kill -9 in the middle of a recording", async () => {
    writeFileSync(file, "");
    await grow();
    await until("parts of it are in the store", async () =>
      (await streams()).some(
        ({ original_path: path, bytes_sent: bytes = 0 }) => path === file && bytes >= PARTS_BEFORE_KILL,
      ),
    );
    await person.killAll();
  });
  await claims.must("the next `npm start` resumes it", async () => {
    await grow();
    person.said = "";
    running = person.start(["npm", "start"]);
    await isUp();
    writeFileSync(`${file}.done`, "");
    await until("it is complete", async () => (await sluice("ls", "completed")).includes("evening.mkv"));
  });
  await claims.holds("file and object are the same, byte by byte", async () => {
    match(await sluice("verify", "evening.mkv", "--deep"), /every byte is the same/);
  });
  await claims.holds("no link of the docs leads nowhere, and they become a site", async () => {
    match(await person.mustRun(["npm", "run", "docs:site"]), /pages/);
  });
  await claims.holds("SIGTERM ends everything", async () => {
    await end(running);
    same(running.exitCode, 0, person.said);
  });
}

/** What the README tells to type after the first start. */
function readmeCommands(clone: string): string[] {
  const blocks = [...readFileSync(join(clone, "README.md"), "utf8").matchAll(/^```sh\n([^]*?)^```/gm)];
  const commands = blocks.map(([, block = ""]) => block).find((block) => block.includes("sluice -- ls"));
  if (commands === undefined) throw new Error("README.md has no commands to look with");
  return commands.trim().split("\n");
}
