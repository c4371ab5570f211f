/** Salvage with real workers: hosts and files are lost, and what S3 holds becomes an object. */
import { randomBytes } from "node:crypto";
import { appendFileSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { MIB, PART, startRig, writeWhole, type Rig } from "./rig.ts";
import { answer, ask, file } from "./rig/ask.ts";
import { SECRET, startReceiver } from "./webhook-receiver.ts";

const NEVER_IDLE = { SLUICE_IDLE_TIMEOUT: "1h", SLUICE_IDLE_MAX: "1h" };
const HELD = 2 * PART;

/** A stream of which two parts are in S3 and a tail is not. */
async function midFile(rig: Rig) {
  const bytes = randomBytes(HELD + MIB);
  const path = writeWhole(rig, "take.mxf", bytes);
  const { id } = await rig.live(path, ({ next_part: next }) => next === "3");
  return { path, id, bytes };
}

async function failedFor(rig: Rig, id: string, state: string) {
  await rig.until(`${id} has failed with its file ${state}`, async () => {
    const stream = await rig.records.stream(id);
    return stream?.status.startsWith("failed_") && stream["source_state"] === state;
  });
}

const object = (rig: Rig, key: string) => rig.bucket.bytes(key);

describe("a salvage", { concurrent: true, timeout: 180_000 }, () => {
  it("of a stream whose file is gone makes an object of exactly its first bytes, and says that it is partial", async () => {
    await using receiver = await startReceiver();
    await using rig = await startRig({
      env: { ...NEVER_IDLE, SLUICE_WEBHOOK_URL: receiver.url, SLUICE_WEBHOOK_SECRET: SECRET },
    });
    await rig.start();
    const { path, id, bytes } = await midFile(rig);
    rmSync(path);
    await failedFor(rig, id, "missing");
    const fence = Number((await rig.records.stream(id))?.["fence"]);
    expect(await ask(rig, "salvage", id)).toMatchObject({ result: "done" });
    expect(await object(rig, "take.mxf")).toEqual(bytes.subarray(0, HELD));
    expect(await rig.records.stream(id)).toMatchObject({
      status: "completed",
      completed_by: "salvage",
      file_size: String(HELD),
      last_known_size: String(HELD + MIB),
      fence: String(fence + 1),
    });
    const metadata = JSON.parse(String(await object(rig, "take.mxf.metadata.json"))) as object;
    expect(metadata).toMatchObject({ partial: true, size: HELD, missing_bytes: MIB });
    expect(await rig.records.indexesOf(id)).toEqual(["streams:completed"]);
    const types = await rig.until("the webhook tells of it", () => {
      const seen = receiver.calls.map(({ type }) => type);
      return seen.includes("stream.salvaged") && seen;
    });
    expect(types).not.toContain("stream.completed");
  });

  it("is refused while a worker of the source is alive, however slow it is", async () => {
    await using rig = await startRig({ env: { ...NEVER_IDLE, SLUICE_BANDWIDTH: "2MiB/s" } });
    await rig.start();
    const path = writeWhole(rig, "take.mxf", randomBytes(4 * PART));
    const { id } = await rig.live(path, ({ next_part: next }) => Number(next) >= 2);
    expect(await ask(rig, "salvage", id)).toMatchObject({
      result: "refused",
      detail: expect.stringContaining("alive"),
    });
    expect((await rig.records.stream(id))?.status).toBe("processing");
  });

  it("of a host that is gone is done by a worker of another source; the host comes back, and the whole file is the object", async () => {
    await using rig = await startRig({ env: NEVER_IDLE, watches: ["watch", "other"] });
    const first = await rig.start({ SLUICE_WATCH: rig.root });
    const { path, id, bytes } = await midFile(rig);
    await first.kill();
    await rig.start({
      SLUICE_SOURCE: "other",
      SLUICE_WORKER_ID: "other",
      SLUICE_WATCH: join(rig.directory, "other"),
    });
    await rig.until(
      "the lease of the lost host has lapsed",
      async () => (await rig.records.redis.exists("worker:rig-worker")) === 0,
    );
    expect(await ask(rig, "salvage", id)).toMatchObject({ result: "done" });
    expect(await object(rig, "take.mxf")).toEqual(bytes.subarray(0, HELD));
    const sentBefore = rig.requests.filter(({ operation }) => operation === "UploadPart").length;
    await rig.start({ SLUICE_WATCH: rig.root, SLUICE_IDLE_TIMEOUT: "1s", SLUICE_IDLE_MAX: "1s" });
    await rig.completed(path, { not: id });
    expect(await object(rig, "take.mxf")).toEqual(bytes);
    const sent = rig.requests.filter(({ operation }) => operation === "UploadPart").slice(sentBefore);
    expect(sent.filter(({ partNumber }) => (partNumber ?? 0) <= 2)).toEqual([]);
  });

  it("of an upload of which Redis knows nothing is done by its key and id, and refused while a part is young", async () => {
    await using rig = await startRig({ env: NEVER_IDLE });
    const worker = await rig.start();
    const { path, bytes } = await midFile(rig);
    const [upload] = await rig.bucket.openUploads();
    if (!upload) throw new Error("no upload");
    await worker.kill();
    rmSync(path);
    await rig.records.redis.flushall();
    await rig.start();
    const options = { key: "take.mxf" };
    const young = await file(rig, "salvage_upload", [upload.uploadId], { options });
    expect(await answer(rig, young, upload.uploadId)).toMatchObject({
      result: "refused",
      detail: expect.stringContaining("a part of it went up"),
    });
    const forced = await file(rig, "salvage_upload", [upload.uploadId], {
      options: { ...options, force: true },
    });
    expect(await answer(rig, forced, upload.uploadId)).toMatchObject({ result: "done" });
    expect(await object(rig, "take.mxf")).toEqual(bytes.subarray(0, HELD));
    expect(JSON.parse(String(await object(rig, "take.mxf.metadata.json")))).toMatchObject({
      partial: true,
      size: HELD,
    });
    writeFileSync(path, bytes);
    appendFileSync(path, randomBytes(10));
    writeFileSync(`${path}.done`, "");
    await rig.completed(path);
    // Another inode: another recording, as far as can be proved.
    expect(await object(rig, "take.mxf")).toEqual(bytes.subarray(0, HELD));
    expect(await object(rig, "take-2.mxf")).toEqual(readFileSync(path));
  });

  it("of a stream whose name is taken is refused, says by whom, and keeps the upload", async () => {
    await using rig = await startRig({ env: NEVER_IDLE });
    await rig.start();
    const { path, id } = await midFile(rig);
    renameSync(path, join(rig.directory, "away"));
    await failedFor(rig, id, "missing");
    await rig.bucket.put("take.mxf", "of another program");
    expect(await ask(rig, "salvage", id)).toMatchObject({
      result: "refused",
      detail: "an object of another program exists at take.mxf: the upload is kept",
    });
    expect(await rig.bucket.openUploads()).toHaveLength(1);
    expect(await rig.records.stream(id)).toMatchObject({ status: "failed_file_missing" });
  });
});
