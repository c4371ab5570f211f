/** Requests while the store hangs, and requests that are about many uploads. */
import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { PART, startRig, writeWhole, type Rig, type StreamSeen } from "./rig.ts";
import { answer, answered, ask, file } from "./rig/ask.ts";

const FOREVER = { SLUICE_IDLE_TIMEOUT: "1h", SLUICE_IDLE_MAX: "1h" };

async function liveFile(rig: Rig, name: string): Promise<StreamSeen> {
  const path = writeWhole(rig, name, randomBytes(PART + 100));
  return await rig.live(path, ({ next_part }) => next_part === "2");
}

/** Requests that hang. */
const acted = (rig: Rig): number => rig.s3.faults.list().reduce((sum, fault) => sum + fault.acted, 0);

describe("requests", { timeout: 180_000 }, () => {
  it("D8c: an abort that the store does not answer stays open, is in the record, and is done by the next worker", async () => {
    await using rig = await startRig({ env: { ...FOREVER, SLUICE_DRAIN_TIMEOUT: "1s" } });
    const worker = await rig.start();
    const stream = await liveFile(rig, "take.bin");
    const fault = rig.s3.faults.add({ operation: "AbortMultipartUpload", times: -1 }, { kind: "hang" });
    const abort = await file(rig, "abort", [stream.id]);
    await rig.until("the store was asked", () => acted(rig) > 0);
    const asked = await rig.records.stream(stream.id);
    expect(asked).toMatchObject({ status: "processing", requested_action: "abort" });
    // Refused, so that it is clear that the wish was seen and kept.
    expect(await ask(rig, "finalize", stream.id)).toMatchObject({ result: "refused" });
    expect(await answered(rig, abort, stream.id)).toBeUndefined();
    await worker.terminate();
    expect(await answered(rig, abort, stream.id)).toBeUndefined();
    rig.s3.faults.remove(fault);
    // The next worker would complete the file at once, if it did not look at the wish first.
    await rig.start({ SLUICE_IDLE_TIMEOUT: "1s", SLUICE_IDLE_MAX: "1s" });
    expect(await answer(rig, abort, stream.id)).toMatchObject({ result: "done" });
    expect(await rig.records.stream(stream.id)).toMatchObject({ status: "failed_aborted_by_operator" });
    expect(await rig.bucket.openUploads()).toEqual([]);
    expect(await rig.bucket.keys()).toEqual([]);
  });

  it("D8e: a finalize is answered while questions to a store that hangs wait for their answers", async () => {
    await using rig = await startRig({ env: FOREVER });
    await rig.start();
    const stream = await liveFile(rig, "take.bin");
    const fault = rig.s3.faults.add({ operation: "HeadObject", times: -1 }, { kind: "hang" });
    const questions = await Promise.all(
      Array.from({ length: 5 }, () => file(rig, "head_object", [stream.id])),
    );
    await rig.until("the store was asked", () => acted(rig) >= 3);
    expect(await ask(rig, "finalize", stream.id)).toMatchObject({ result: "done" });
    for (const id of questions) expect(await answered(rig, id, stream.id)).toBeUndefined();
    rig.s3.faults.remove(fault);
  });

  it("D8e: aborting uploads looks at each by its own key, however many there are", async () => {
    await using rig = await startRig({ env: FOREVER });
    await rig.start();
    const stream = await liveFile(rig, "take.bin");
    const uploads: string[] = [];
    for (let at = 0; at < 60; at += 1) uploads.push(await rig.bucket.createUpload("take.bin"));
    const scan = await ask(rig, "scan_orphans", "*");
    expect(scan).toMatchObject({ result: "done", data: { orphans: 60 } });
    const before = rig.requests.length;
    const abort = await file(rig, "abort_uploads", [...uploads, "nobody-knows"]);
    for (const upload of uploads) expect(await answer(rig, abort, upload)).toMatchObject({ result: "done" });
    expect(await answer(rig, abort, "nobody-knows")).toMatchObject({ result: "refused" });
    const asked = rig.requests
      .slice(before)
      .filter(({ operation }) =>
        /^(ListParts|ListMultipartUploads|AbortMultipartUpload)$/.test(operation ?? ""),
      );
    expect(asked.length).toBeLessThanOrEqual(3 * uploads.length);
    expect((await rig.bucket.openUploads()).map(({ uploadId }) => uploadId)).toEqual([
      stream["s3_upload_id"],
    ]);
    await rig.until("no orphan is listed", async () => (await rig.records.redis.hlen("orphans")) === 0);
  });

  it("D8a: uploads asked to be aborted more than 10 min ago are left alone", async () => {
    await using rig = await startRig({ env: FOREVER });
    await rig.start();
    await liveFile(rig, "take.bin");
    const upload = await rig.bucket.createUpload("take.bin");
    await ask(rig, "scan_orphans", "*");
    const filed_at_utc = new Date(Date.now() - 11 * 60_000).toISOString();
    const abort = await file(rig, "abort_uploads", [upload], { filed_at_utc });
    expect(await answer(rig, abort, upload)).toMatchObject({
      result: "refused",
      detail: expect.stringContaining("request it again"),
    });
    expect(await rig.bucket.openUploads()).toHaveLength(2);
  });
});
