/** Requests find whoever may act, once, whoever that is by then: several sources, a hung owner, a pod under another id. */
import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { PART, startRig, writeWhole, type Rig, type StreamSeen, type WorkerProcess } from "./rig.ts";
import { answer, answered, ask, file } from "./rig/ask.ts";
import { GrowingFile } from "./rig/growing-file.ts";

const FOREVER = { SLUICE_IDLE_TIMEOUT: "1h", SLUICE_IDLE_MAX: "1h" };

/** Its watch holds a file of its own, so that it has something to do. */
async function startOther(rig: Rig): Promise<WorkerProcess> {
  const root = join(rig.directory, "other");
  mkdirSync(root);
  writeFileSync(join(root, "other.bin"), "other");
  return await rig.start({
    SLUICE_SOURCE: "other",
    SLUICE_WORKER_ID: "other-worker",
    SLUICE_WATCH: root,
    SLUICE_S3_KEY_PREFIX: "other/",
  });
}

async function liveFiles(rig: Rig, count: number): Promise<StreamSeen[]> {
  const paths = Array.from({ length: count }, (_, at) =>
    writeWhole(rig, `take${at}.bin`, randomBytes(PART + 100)),
  );
  return await Promise.all(paths.map((path) => rig.live(path, ({ next_part }) => next_part === "2")));
}

/** The lease lapses now instead of 15 s from now. */
async function lapse(rig: Rig, workerId: string): Promise<void> {
  await rig.records.redis.del(`worker:${workerId}`);
}

describe("requests", { timeout: 180_000 }, () => {
  it("D8a, D8f: of two sources on one Redis are each answered by the right worker, once, and no other touches their streams", async () => {
    await using rig = await startRig({ env: FOREVER });
    await rig.start();
    await startOther(rig);
    const streams = await liveFiles(rig, 6);
    const ids = streams.map(({ id }) => id);

    const abort = await file(rig, "abort", ids);
    for (const id of ids)
      expect(await answer(rig, abort, id)).toMatchObject({ result: "done", worker: "rig-worker" });
    const fences = await Promise.all(ids.map(async (id) => (await rig.records.stream(id))?.["fence"]));

    const retries = await Promise.all(ids.map((id) => file(rig, "retry", [id])));
    for (const [at, id] of ids.entries())
      expect(await answer(rig, retries[at] ?? "", id)).toMatchObject({
        result: "done",
        worker: "rig-worker",
      });
    const live = await Promise.all(
      streams.map(({ original_path }) => rig.live(original_path, ({ next_part }) => next_part === "2")),
    );

    // A double click: each is refused by the owner, and stays where it is.
    const again = await file(rig, "retry", ids);
    for (const id of ids)
      expect(await answer(rig, again, id)).toMatchObject({ result: "refused", worker: "rig-worker" });
    const questions = await Promise.all(ids.map((id) => file(rig, "list_parts", [id])));
    for (const [at, id] of ids.entries())
      expect(await answer(rig, questions[at] ?? "", id)).toMatchObject({
        result: "done",
        worker: "rig-worker",
      });

    for (const [at, { id }] of live.entries()) {
      const now = await rig.records.stream(id);
      expect(now).toMatchObject({ owner: "rig-worker", fence: String(Number(fences[at]) + 1) });
      expect((await rig.records.timeline(id)).filter((line) => line.includes("other"))).toEqual([]);
    }
    // Everything is answered: nothing is left in the queue.
    await rig.until("the queue is empty", async () => (await rig.records.redis.xlen("requests")) === 0);
  });

  it("D8a: to abort a stream whose source has no worker are refused in the end with what to do, and its parts stay", async () => {
    await using rig = await startRig({ env: FOREVER });
    const owner = await rig.start();
    const [stream] = await liveFiles(rig, 1);
    if (!stream) throw new Error("a stream");
    await owner.kill();
    await lapse(rig, "rig-worker");
    await startOther(rig);
    const long = new Date(Date.now() - 11 * 60_000).toISOString();
    const abort = await file(rig, "abort", [stream.id], { filed_at_utc: long });
    expect(await answer(rig, abort, stream.id)).toMatchObject({
      result: "refused",
      worker: "other-worker",
      detail: expect.stringMatching(/no worker of source rig is running.*start a worker of that source/),
    });
    const kept = await rig.records.stream(stream.id);
    expect(kept).toMatchObject({ status: "processing", fence: stream["fence"] });
    await rig.start();
    expect(await ask(rig, "abort", stream.id)).toMatchObject({ result: "done", worker: "rig-worker" });
  });

  it("D8a: asked of a hung owner are done by the worker that takes over, and not again when the owner wakes up", async () => {
    await using rig = await startRig({ env: FOREVER });
    const owner = await rig.start();
    const [one, two] = await liveFiles(rig, 2);
    if (!one || !two) throw new Error("two streams");
    owner.signal("SIGSTOP");
    const abort = await file(rig, "abort", [one.id]);
    const finalize = await file(rig, "finalize", [two.id]);
    await lapse(rig, "rig-worker");
    await rig.start({ SLUICE_WORKER_ID: "second" });
    expect(await answer(rig, abort, one.id)).toMatchObject({ result: "done", worker: "second" });
    expect(await answer(rig, finalize, two.id)).toMatchObject({ result: "done", worker: "second" });
    await rig.completed(two.original_path);
    expect(await rig.records.stream(one.id)).toMatchObject({ status: "failed_aborted_by_operator" });
    owner.signal("SIGCONT");
    // What it finds when it wakes up: it answers, or it has ended because its lease went to nobody else.
    const later = await ask(rig, "head_object", two.id);
    expect(later.result).toBe("done");
    expect(await rig.records.generations(two.original_path)).toHaveLength(1);
    expect(await rig.bucket.openUploads()).toEqual([]);
  });

  it("D8a: filed while no worker ran are done by a pod of another id, but what destroys is refused once it is 10 min old", async () => {
    await using rig = await startRig({ env: FOREVER });
    const first = await rig.start();
    const growing = await GrowingFile.open(join(rig.root, "growing.bin"));
    await growing.append(PART + 100);
    const live = await rig.live(growing.path, ({ next_part }) => next_part === "2");
    const [young, kept] = await liveFiles(rig, 2);
    if (!young || !kept) throw new Error("two streams");
    await first.kill();
    const old = new Date(Date.now() - 11 * 60_000).toISOString();
    const tooOld = await file(rig, "abort", [live.id], { filed_at_utc: old });
    const abort = await file(rig, "abort", [young.id]);
    const finalize = await file(rig, "finalize", [kept.id], { filed_at_utc: old });
    await rig.start({ SLUICE_WORKER_ID: "replacement" });
    expect(await answer(rig, abort, young.id)).toMatchObject({ result: "done", worker: "replacement" });
    expect(await answer(rig, finalize, kept.id)).toMatchObject({ result: "done", worker: "replacement" });
    expect(await answer(rig, tooOld, live.id)).toMatchObject({
      result: "refused",
      detail: expect.stringContaining("request it again"),
    });
    // The recording grows on, before and after the refusal.
    await growing.append(PART);
    await rig.live(growing.path, ({ next_part }) => next_part === "3");
    await growing[Symbol.asyncDispose]();
    expect((await rig.records.stream(live.id))?.["requested_action"]).toBeUndefined();
  });

  it("D8a: a worker that died between a retry and its answer leaves an answer to the next one: it was done", async () => {
    await using rig = await startRig({ env: FOREVER });
    const first = await rig.start();
    const [stream] = await liveFiles(rig, 1);
    if (!stream) throw new Error("a stream");
    await ask(rig, "abort", stream.id);
    const retry = await file(rig, "retry", [stream.id]);
    expect(await answer(rig, retry, stream.id)).toMatchObject({ result: "done" });
    await first.kill();
    // As it was before the answer.
    const { redis } = rig.records;
    await redis.hdel(`request:${retry}`, `item:${stream.id}`, "answered", "settled_at_utc");
    await redis.xadd("requests", "*", "id", retry);
    await rig.start();
    expect(await answer(rig, retry, stream.id)).toMatchObject({
      result: "done",
      detail: expect.stringContaining("retried"),
    });
    expect(await answered(rig, retry, stream.id)).toBeDefined();
  });
});
