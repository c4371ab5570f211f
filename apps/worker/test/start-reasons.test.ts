/** Why a stream starts running: each reason, as the real worker says it, always for exactly the stream it is about. */
import { randomBytes } from "node:crypto";
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { PART, startRig, writeWhole, type Rig, type WorkerProcess } from "./rig.ts";
import { answer, ask, file } from "./rig/ask.ts";

/** What is resumed at a restart is said at debug: it may be thousands of streams. */
const FOREVER = { SLUICE_IDLE_TIMEOUT: "1h", SLUICE_IDLE_MAX: "1h", SLUICE_LOG_LEVEL: "debug" };
const STARTS = "a stream starts running here";

/** In the order in which they were said. */
const reasons = (worker: WorkerProcess, id: string): unknown[] =>
  worker.lines.filter(({ msg, stream_id }) => msg === STARTS && stream_id === id).map(({ reason }) => reason);

/** Once it was started so often. */
async function starts(rig: Rig, worker: WorkerProcess, id: string, times: number): Promise<unknown[]> {
  await rig.until(`${id} was started ${times} times`, () => reasons(worker, id).length >= times);
  return reasons(worker, id);
}

const status = async (rig: Rig, id: string): Promise<string | undefined> =>
  (await rig.records.stream(id))?.status;

describe("a stream starts running", { concurrent: true, timeout: 180_000 }, () => {
  it("found, then resumed by the next worker, retried after an abort, recovered when its file is back", async () => {
    await using rig = await startRig({ env: FOREVER });
    const first = await rig.start();
    const path = writeWhole(rig, "take.mov", randomBytes(PART + 1));
    const { id } = await rig.live(path, ({ next_part: next }) => next === "2");
    expect(await first.said("file found")).toMatchObject({ stream_id: id, reason: "found" });
    expect(reasons(first, id)).toEqual([]);
    await first.kill();

    const second = await rig.start();
    expect(await starts(rig, second, id, 1)).toEqual(["resumed"]);
    await ask(rig, "abort", id);
    expect(await ask(rig, "retry", id)).toMatchObject({ result: "done" });
    expect(await starts(rig, second, id, 2)).toEqual(["resumed", "retried"]);
    await rig.live(path, ({ next_part: next }) => next === "2");

    const aside = join(rig.directory, "aside");
    renameSync(path, aside);
    await rig.until("it has failed", async () => (await status(rig, id))?.startsWith("failed_file_missing"));
    renameSync(aside, path);
    expect(await starts(rig, second, id, 3)).toEqual(["resumed", "retried", "recovered"]);
    const timeline = (await rig.records.timeline(id)).join("\n");
    expect(timeline).toMatch(/retried: .* \(request /);
    expect(timeline).toContain("its file can be read again: ");
  });

  it("as the successor of one whose file was replaced", async () => {
    await using rig = await startRig({ env: FOREVER });
    const worker = await rig.start();
    const path = writeWhole(rig, "take.mov", randomBytes(PART + 1));
    const before = await rig.live(path, ({ next_part: next }) => next === "2");
    const other = join(rig.directory, "other");
    writeFileSync(other, randomBytes(PART + 2));
    renameSync(other, path);
    const now = await rig.live(path, ({ id }) => id !== before.id);
    expect(await starts(rig, worker, now.id, 1)).toEqual(["successor"]);
  });

  it("adopted from a source that no longer exists", async () => {
    await using rig = await startRig({ env: FOREVER });
    const old = await rig.start({ SLUICE_SOURCE: "old-host", SLUICE_WORKER_ID: "old" });
    writeWhole(rig, "take.mov", randomBytes(2 * PART + 1));
    const { id } = await rig.until("two parts are sent", async () =>
      (await rig.records.streams()).find(({ next_part: next }) => next === "3"),
    );
    await old.kill();
    await rig.records.redis.del("worker:old");
    const worker = await rig.start();
    // Refused while its own rescan is opening a stream for the file.
    await rig.until("it is adopted", async () => {
      const request = await file(rig, "adopt", [id], { options: { from: "old-host" } });
      return (await answer(rig, request, id)).result === "done";
    });
    expect(await starts(rig, worker, id, 1)).toEqual(["adopted"]);
  });

  it("resumed after a fault of ours", async () => {
    await using rig = await startRig({ env: FOREVER });
    const worker = await rig.start({ FAILPOINT: "part_acknowledged:throw@1" });
    const path = writeWhole(rig, "faulty.mov", randomBytes(PART + 1));
    const { stream_id } = await worker.said("a stream stopped because of a bug");
    const { id } = await rig.live(path, ({ next_part: next }) => next === "2");
    expect(id).toBe(stream_id);
    expect(await starts(rig, worker, id, 1)).toEqual(["resumed"]);
  });
});
