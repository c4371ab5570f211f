/** `source_state`, as the real worker writes it: where the file of a stream is, also after the stream has failed. */
import { randomBytes } from "node:crypto";
import { renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { PART, startRig, writeWhole, type Rig } from "./rig.ts";
import { ask } from "./rig/ask.ts";

const NEVER_IDLE = { SLUICE_IDLE_TIMEOUT: "1h", SLUICE_IDLE_MAX: "1h" };

/** A live stream of which one part is in S3. */
async function midFile(rig: Rig, name = "take.mxf") {
  const path = writeWhole(rig, name, randomBytes(PART + 1_000));
  const { id } = await rig.live(path, ({ next_part: next }) => next === "2");
  return { path, id };
}

const becomes = (rig: Rig, id: string, state: string) =>
  rig.until(`the file of ${id} is ${state}`, async () => {
    const stream = await rig.records.stream(id);
    return stream?.["source_state"] === state && stream;
  });

describe("the file of a stream", { concurrent: true, timeout: 120_000 }, () => {
  it("is present while it is there, also when its stream has failed", async () => {
    await using rig = await startRig({ env: NEVER_IDLE });
    await rig.start();
    const { id } = await midFile(rig);
    expect(await becomes(rig, id, "present")).toMatchObject({ status: "processing" });
    expect(await ask(rig, "abort", id)).toMatchObject({ result: "done" });
    const failed = await rig.records.stream(id);
    expect(failed).toMatchObject({ status: "failed_aborted_by_operator", source_state: "present" });
    expect(Date.parse(failed?.["failed_at_utc"] ?? "")).not.toBeNaN();
  });

  it("is missing when its stream fails for that, and present again when it is back, and the stream heals", async () => {
    await using rig = await startRig({ env: NEVER_IDLE });
    await rig.start();
    const kept = await midFile(rig, "kept.mxf");
    const { path, id } = await midFile(rig);
    const away = join(rig.directory, "away.mxf");
    renameSync(path, away);
    expect(await becomes(rig, id, "missing")).toMatchObject({ status: "failed_file_missing" });
    renameSync(away, path);
    const healed = await becomes(rig, id, "present");
    expect(healed["status"]).toBe("processing");
    expect(healed["failed_at_utc"]).toBeUndefined();
    expect((await rig.records.stream(kept.id))?.["source_state"]).toBe("present");
  });

  it("is missing when it disappears after its stream has failed for another reason", async () => {
    await using rig = await startRig({ env: NEVER_IDLE });
    await rig.start();
    const { path, id } = await midFile(rig);
    await ask(rig, "abort", id);
    rmSync(path);
    expect(await becomes(rig, id, "missing")).toMatchObject({ status: "failed_aborted_by_operator" });
  });

  it("is replaced when another file stands at its path", async () => {
    await using rig = await startRig({ env: NEVER_IDLE });
    await rig.start();
    const { path, id } = await midFile(rig);
    const other = join(rig.directory, "other.mxf");
    const bytes = randomBytes(2_000);
    writeWhole(rig, "../other.mxf", bytes);
    renameSync(other, path);
    expect(await becomes(rig, id, "replaced")).toMatchObject({ status: "failed_file_replaced" });
  });

  it("is unknown while its watch is offline, whether its stream lives or has failed", async () => {
    await using rig = await startRig({ env: NEVER_IDLE });
    await rig.start();
    const failed = await midFile(rig, "failed.mxf");
    await ask(rig, "abort", failed.id);
    const live = await midFile(rig);
    const away = `${rig.root}.away`;
    renameSync(rig.root, away);
    expect(await becomes(rig, live.id, "unknown")).toMatchObject({ status: "processing" });
    expect(await becomes(rig, failed.id, "unknown")).toMatchObject({ status: "failed_aborted_by_operator" });
    renameSync(away, rig.root);
    await becomes(rig, live.id, "present");
    await becomes(rig, failed.id, "present");
  });
});
