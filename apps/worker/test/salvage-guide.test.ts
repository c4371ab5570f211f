/** docs/guides/getting-a-recording-back.md: its commands, as they stand there, get the bytes back. Only the names are the test's. */
import { randomBytes } from "node:crypto";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { sluice, type Answer } from "./cli-process.ts";
import { MIB, PART, startRig, writeWhole, type Rig } from "./rig.ts";

const PAGE = readFileSync(
  fileURLToPath(new URL("../../../docs/guides/getting-a-recording-back.md", import.meta.url)),
  "utf8",
);
const NEVER_IDLE = { SLUICE_IDLE_TIMEOUT: "1h", SLUICE_IDLE_MAX: "1h" };
const HELD = 2 * PART;
/** Names that the page uses. */
const [ID, HOST, KEY, UPLOAD] = ["01k9w3", "cam-host-2", "cam1/2026-11-24.mkv", "2~kXt9"] as const;

/** The commands of one section, with the names of the page replaced. */
function commandsOf(heading: string, names: Readonly<Record<string, string>>): string[][] {
  const section = PAGE.split(/^## /m).find((text) => text.startsWith(`${heading}\n`)) ?? "";
  const block = /^```sh\n([^]*?)^```/m.exec(section)?.[1] ?? "";
  const commands = block
    .trim()
    .split("\n")
    .map((line) => line.split(" "));
  expect(commands.map(([program]) => program)).toEqual(commands.map(() => "sluice"));
  const said = new Set(commands.flat());
  expect(Object.keys(names).filter((name) => !said.has(name))).toEqual([]);
  return commands.map(([, ...words]) => words.map((word) => names[word] ?? word));
}

const run = (rig: Rig, command: readonly string[]): Promise<Answer> =>
  sluice(command, { env: rig.env(), cwd: rig.directory });

/** A stream of which two parts are in S3 and a tail is not. */
async function midFile(rig: Rig) {
  const bytes = randomBytes(HELD + MIB);
  const path = writeWhole(rig, KEY, bytes);
  const held = await rig.until("two parts are in S3", async () =>
    (await rig.records.streams()).find(({ next_part: next }) => next === "3"),
  );
  return { path, bytes, id: held.id };
}

/** Bytes of the object, and that its metadata object calls it partial. */
async function expectSaved(rig: Rig, bytes: Buffer): Promise<void> {
  expect(await rig.bucket.bytes(KEY)).toEqual(bytes.subarray(0, HELD));
  expect(JSON.parse(String(await rig.bucket.bytes(`${KEY}.metadata.json`)))).toMatchObject({ partial: true });
}

/** Makes a plan and changes nothing. */
async function expectPlanned(rig: Rig, command: readonly string[]): Promise<void> {
  const planned = await run(rig, command);
  expect(planned).toMatchObject({ code: 0, stderr: expect.stringContaining("10.0 MiB") as string });
  expect(await rig.bucket.keys()).toEqual([]);
}

describe("the guide", { concurrent: true, timeout: 180_000 }, () => {
  it("gets a recording back whose file is gone", async () => {
    await using rig = await startRig({ env: NEVER_IDLE });
    await rig.start();
    const { path, bytes, id } = await midFile(rig);
    const [plan = [], salvage = [], ...others] = commandsOf("The file is gone", { [ID]: id });
    expect(others).toEqual([]);
    rmSync(path);
    await rig.until("its stream has failed", async () =>
      (await rig.records.stream(id))?.status.startsWith("failed_file_missing"),
    );
    await expectPlanned(rig, plan);
    expect(await run(rig, salvage)).toMatchObject({ code: 0 });
    await expectSaved(rig, bytes);
  });

  it("gets the recordings back of a host that is gone", async () => {
    await using rig = await startRig({ env: NEVER_IDLE, watches: ["watch", "other"] });
    const lost = await rig.start({ SLUICE_WATCH: rig.root, SLUICE_SOURCE: HOST, SLUICE_WORKER_ID: "lost" });
    const { bytes } = await midFile(rig);
    const [plan = [], salvage = [], ...others] = commandsOf("The host is gone", {});
    expect(others).toEqual([]);
    await rig.start({ SLUICE_WATCH: join(rig.directory, "other"), SLUICE_SOURCE: "other" });
    // While it lives, nothing can be salvaged.
    expect((await run(rig, salvage)).stderr).toContain("Nothing matches");
    await lost.kill();
    await rig.until(
      "its lease has lapsed",
      async () => (await rig.records.redis.exists("worker:lost")) === 0,
    );
    await expectPlanned(rig, plan);
    expect(await run(rig, salvage)).toMatchObject({ code: 0 });
    await expectSaved(rig, bytes);
  });

  it("gets a recording back of which Redis knows nothing either", async () => {
    await using rig = await startRig({ env: NEVER_IDLE });
    const worker = await rig.start();
    const { path, bytes } = await midFile(rig);
    const [upload] = await rig.bucket.openUploads();
    if (!upload) throw new Error("no upload");
    const [list = [], salvage = [], ...others] = commandsOf("Redis is gone too", {
      [KEY]: upload.key,
      [UPLOAD]: upload.uploadId,
    });
    expect(others).toEqual([]);
    await worker.kill();
    rmSync(path);
    await rig.records.redis.flushall();
    await rig.start();
    const listed = await run(rig, list);
    expect(listed.code).toBe(0);
    expect(listed.stdout).toContain(upload.uploadId);
    // Its last part went up moments ago: as the page says, somebody may still send it.
    const young = await run(rig, salvage);
    expect(young.code).toBe(1);
    expect(`${young.stdout}${young.stderr}`).toContain("a part of it went up");
    expect(await run(rig, [...salvage, "--force"])).toMatchObject({ code: 0 });
    await expectSaved(rig, bytes);
  });
});
