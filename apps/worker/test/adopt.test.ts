/** `sluice adopt` while something breaks: asked again afterwards, it ends as if nothing had. */
import { randomBytes } from "node:crypto";
import { appendFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { sluice } from "./cli-process.ts";
import { MIB, PART, startRig, writeWhole, type Rig, type StreamSeen, type WorkerProcess } from "./rig.ts";

const PATIENT = { SLUICE_IDLE_TIMEOUT: "10m", SLUICE_IDLE_MAX: "20m" };

interface Scene {
  rig: Rig;
  worker: WorkerProcess;
  stream: StreamSeen;
}

/** When the request is filed, and when the stream has changed hands. */
const asked = async ({ rig }: Scene): Promise<boolean> => (await rig.records.redis.xlen("requests")) > 0;
const taken = async ({ rig, stream }: Scene): Promise<boolean> =>
  (await rig.records.stream(stream.id))?.["fence"] !== stream["fence"];

const killWorker = async ({ rig, worker }: Scene): Promise<void> => {
  await worker.kill();
  await rig.start();
};
const restartRedis = async ({ rig }: Scene): Promise<void> => {
  await rig.redis.kill();
  await rig.redis.start();
};

/** A file of which two parts are in S3; its worker, of another source, is dead. */
async function leftByOldHost(rig: Rig): Promise<{ path: string; stream: StreamSeen }> {
  const old = await rig.start({ SLUICE_SOURCE: "old-host", SLUICE_WORKER_ID: "old" });
  const path = writeWhole(rig, "adopted.mkv", randomBytes(2 * PART + MIB));
  const stream = await rig.until("two parts are sent", async () =>
    (await rig.records.streams()).find(({ next_part: next }) => next === "3"),
  );
  await old.kill();
  return { path, stream };
}

const partsSent = (rig: Rig): number[] =>
  rig.requests
    .filter(
      ({ operation, key, status }) => operation === "UploadPart" && key === "adopted.mkv" && status === 200,
    )
    .map(({ partNumber }) => partNumber ?? 0)
    .toSorted((a, b) => a - b);

describe("adopting the streams of a source that is gone", { concurrent: true, timeout: 120_000 }, () => {
  it.each([
    ["the worker is killed when it has taken the stream", taken, killWorker],
    ["Redis is killed when the worker is asked", asked, restartRedis],
  ] as const)("P2, P7: while %s costs nothing, and can be asked again", async (_case, when, breaks) => {
    await using rig = await startRig({ env: PATIENT });
    const run = (...args: string[]) => sluice(args, { env: rig.env(), cwd: rig.directory });
    const { path, stream } = await leftByOldHost(rig);
    // As it would lapse by itself, a quarter of a minute later.
    await rig.records.redis.del("worker:old");
    const scene = { rig, worker: await rig.start(), stream };
    const first = run("adopt", "--from", "old-host", "--yes");
    await rig.until("the moment has come", async () => await when(scene), { everyMs: 1 });
    await breaks(scene);
    await first;
    await rig.until("it is adopted", async () => {
      if ((await rig.records.stream(stream.id))?.["source"] === "rig") return true;
      await run("adopt", "--from", "old-host", "--yes");
      return false;
    });
    appendFileSync(path, randomBytes(MIB));
    writeFileSync(`${path}.done`, "");
    expect(await rig.completed(path)).toMatchObject({ id: stream.id, s3_key: "adopted.mkv" });
    expect(partsSent(rig)).toEqual([1, 2, 3]);
    expect(await rig.bucket.openUploads()).toEqual([]);
    expect((await rig.bucket.keys("adopted")).toSorted()).toEqual([
      "adopted.mkv",
      "adopted.mkv.metadata.json",
    ]);
  });

  it.each([
    ["like AWS", {}],
    [
      "whose Complete names no ETag",
      { emptyCompleteEtag: true, noChecksums: true, nonIdempotentComplete: true },
    ],
  ])(
    "P4: is not needed when Redis was emptied too: the upload is found by its parts, on a store %s",
    async (...store) => {
      await using rig = await startRig({ env: PATIENT, quirks: store[1] });
      const { path, stream } = await leftByOldHost(rig);
      await rig.records.redis.flushall();
      await rig.start();
      writeFileSync(`${path}.done`, "");
      expect(await rig.completed(path)).toMatchObject({
        s3_upload_id: stream["s3_upload_id"],
        s3_key: "adopted.mkv",
      });
      expect(partsSent(rig)).toEqual([1, 2, 3]);
      expect(await rig.bucket.openUploads()).toEqual([]);
    },
  );
});
