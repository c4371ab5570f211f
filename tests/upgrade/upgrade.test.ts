/** From the last release to this version and back, with the real workers of both, in the middle of a recording. */
import { randomBytes } from "node:crypto";
import { appendFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { MIB, PART, startRig, writeWhole, type Rig, type WorkerProcess } from "../../apps/worker/test/rig.ts";

const HERE = join(import.meta.dirname, "../..");
const RELEASED = process.env["UPGRADE_FROM"] ?? HERE;
const NEVER_IDLE = { SLUICE_IDLE_TIMEOUT: "1h", SLUICE_IDLE_MAX: "1h" };
const EXIT_CONFIGURATION = 78;

const program = (version: string): string => join(version, "apps/worker/src/main.mjs");

/** Of the keys in Redis, as `checkSchema` compares it. */
function schemaOf(version: string): number {
  const text = readFileSync(join(version, "packages/redis-schema/src/version.ts"), "utf8");
  return Number(/^export const KEYS_VERSION = (\d+);$/m.exec(text)?.[1]);
}

/** Within one schema going back is a restart; an older program refuses a newer one. */
const canGoBack = schemaOf(HERE) <= schemaOf(RELEASED);

async function start(
  rig: Rig,
  version: string,
  more: Readonly<Record<string, string>> = {},
): Promise<WorkerProcess> {
  const worker = rig.launch(more, program(version));
  await worker.ready();
  return worker;
}

/** A recording of which two parts are in S3. */
async function halfWay(rig: Rig): Promise<{ path: string; bytes: Buffer }> {
  const bytes = randomBytes(2 * PART + MIB);
  const path = writeWhole(rig, "rec/take.mxf", bytes);
  await rig.live(path, ({ next_part: next }) => next === "3");
  return { path, bytes };
}

/** Of recordings; a start asks its store with small uploads of its own. */
const partsSent = (rig: Rig): number =>
  rig.requests.filter(
    ({ operation, status, key }) =>
      operation === "UploadPart" && status === 200 && (key ?? "").startsWith("rec/"),
  ).length;

const objectsSent = (rig: Rig, from: number): (string | null | undefined)[] =>
  rig.requests
    .slice(from)
    .filter(
      ({ operation, status, key }) =>
        operation === "PutObject" && status === 200 && /^rec\/.*\.wav$/.test(key ?? ""),
    )
    .map(({ key }) => key);

/** The other version takes over, and the recording ends. What came of it beside what should have. */
async function endsUnder(rig: Rig, version: string, { path, bytes }: { path: string; bytes: Buffer }) {
  await start(rig, version, NEVER_IDLE);
  const more = randomBytes(PART);
  appendFileSync(path, more);
  await rig.live(path, ({ next_part: next }) => next === "4");
  writeWhole(rig, "rec/take.mxf.done", "");
  await rig.completed(path);
  const object = await rig.bucket.bytes("rec/take.mxf");
  return { isTheFile: object.equals(Buffer.concat([bytes, more])), parts: partsSent(rig) };
}

/** Three full parts and the tail, each sent once. */
const WHOLE = { isTheFile: true, parts: 4 };

const DEATHS = ["is stopped", "is killed"] as const;

async function end(worker: WorkerProcess, death: (typeof DEATHS)[number]): Promise<void> {
  if (death === "is stopped") await worker.terminate();
  else await worker.kill();
}

describe("an upgrade", () => {
  it.each(DEATHS)("completes a recording whose worker of the last release %s half-way", async (death) => {
    await using rig = await startRig();
    const worker = await start(rig, RELEASED, NEVER_IDLE);
    const recording = await halfWay(rig);
    await end(worker, death);
    expect(await endsUnder(rig, HERE, recording)).toEqual(WHOLE);
  });

  it("sends nothing again that the last release completed", async () => {
    await using rig = await startRig();
    const worker = await start(rig, RELEASED);
    for (const name of ["rec/a.wav", "rec/b.wav"]) await rig.completed(writeWhole(rig, name, name));
    await worker.terminate();
    const from = rig.requests.length;
    await start(rig, HERE);
    for (const name of ["one.txt", "two.txt"]) await rig.completed(writeWhole(rig, name, name));
    expect(objectsSent(rig, from)).toEqual([]);
  });
});

describe("going back", () => {
  it.each(DEATHS)("completes a recording whose worker of this version %s, or is refused", async (death) => {
    await using rig = await startRig();
    const worker = await start(rig, HERE, NEVER_IDLE);
    const recording = await halfWay(rig);
    await end(worker, death);
    if (canGoBack) {
      expect(await endsUnder(rig, RELEASED, recording)).toEqual(WHOLE);
      return;
    }
    const before = await rig.records.live(recording.path);
    const refused = rig.launch(NEVER_IDLE, program(RELEASED));
    expect((await refused.exited).code).toBe(EXIT_CONFIGURATION);
    expect(refused.tail()).toContain("newer Sluice");
    expect(await rig.records.live(recording.path)).toEqual(before);
  });
});
