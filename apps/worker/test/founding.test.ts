/** Uploads of the founding phase bear no ids of ours: what their Complete left behind is known by its bytes alone. */
import { randomBytes } from "node:crypto";
import { appendFileSync, readFileSync, statSync } from "node:fs";
import type { Quirks } from "@sluice/local-s3";
import { describe, expect, it } from "vitest";
import { PART, startRig, type Rig } from "./rig.ts";
import { leaveFounding, type Founding } from "./rig/founding.ts";

/** The stream ended under its own key with the file's bytes. Returns the numbers of all parts that went up. */
async function completedOnce(rig: Rig, { id, path }: Founding, name: string): Promise<number[]> {
  expect(await rig.completed(path)).toMatchObject({ id, s3_key: name, status: "completed" });
  expect(await rig.bucket.keys(name)).toEqual([name, `${name}.metadata.json`]);
  const bytes = readFileSync(path);
  expect(Buffer.concat(await Array.fromAsync(rig.bucket.read(name, bytes.length))).equals(bytes)).toBe(true);
  expect(await rig.bucket.openUploads()).toEqual([]);
  expect(JSON.parse(await rig.bucket.text(`${name}.metadata.json`))).toMatchObject({ stream_id: id });
  return partsOf(rig, name);
}

const partsOf = (rig: Rig, name: string): number[] =>
  rig.requests
    .filter(({ operation, key, status }) => operation === "UploadPart" && key === name && status === 200)
    .map(({ partNumber }) => partNumber ?? 0)
    .toSorted((a, b) => a - b);

const STORES: readonly [string, Quirks][] = [
  ["like AWS", {}],
  ["without checksums", { noChecksums: true, nonIdempotentComplete: true }],
  ["without conditions", { ignoreConditionalComplete: true, nonIdempotentComplete: true }],
];

describe("an upload that the founding phase opened", { concurrent: true, timeout: 60_000 }, () => {
  it.each(STORES)(
    "C16: whose worker is killed before Complete is recorded is done, on a store %s",
    async (...store) => {
      await using rig = await startRig({ quirks: store[1] });
      const founding = await leaveFounding(rig, "take.mov");
      const killed = rig.launch({ FAILPOINT: "completed_in_store:kill@1" });
      expect(await killed.exited).toMatchObject({ signal: "SIGKILL" });
      await rig.start();
      expect(await completedOnce(rig, founding, "take.mov")).toEqual([1, 2]);
    },
  );

  it("C15: whose Complete loses its reply is done, on a store with neither checksums nor conditions", async () => {
    const quirks = { noChecksums: true, ignoreConditionalComplete: true, nonIdempotentComplete: true };
    await using rig = await startRig({ quirks });
    const founding = await leaveFounding(rig, "take.mov");
    rig.s3.faults.add({ operation: "CompleteMultipartUpload", key: "take.mov" }, { kind: "loseReply" });
    await rig.start();
    expect(await completedOnce(rig, founding, "take.mov")).toEqual([1, 2]);
  });

  it("C16: and completed before it was killed is done, although no record names its tail", async () => {
    await using rig = await startRig();
    const founding = await leaveFounding(rig, "take.mov", { status: "pending_completion" });
    const { id, path, uploadId } = founding;
    const tail = await rig.bucket.uploadPart("take.mov", uploadId, 2, readFileSync(path).subarray(PART));
    const first = (await rig.records.parts(id)).get(1)?.ETag ?? "";
    await rig.bucket.completeUpload("take.mov", uploadId, [first, tail]);
    await rig.start();
    expect(await completedOnce(rig, founding, "take.mov")).toEqual([1, 2]);
  });

  it("P4: is known again when Redis was emptied after it completed, and its object replaced when the file grows", async () => {
    await using rig = await startRig({ quirks: { noChecksums: true } });
    const founding = await leaveFounding(rig, "take.mov");
    const { path } = founding;
    const worker = await rig.start();
    expect(await completedOnce(rig, founding, "take.mov")).toEqual([1, 2]);
    await worker.kill();
    await rig.records.redis.flushall();
    const before = rig.requests.length;
    await rig.start();
    const again = await rig.completed(path);
    expect(again).toMatchObject({ s3_key: "take.mov", verify_result: "recognised" });
    const data = rig.requests.slice(before).filter(({ key }) => key === "take.mov");
    expect(data.map(({ operation }) => operation)).not.toContain("UploadPart");
    appendFileSync(path, "more");
    expect(await rig.completed(path, { not: again.id })).toMatchObject({ s3_key: "take.mov" });
    expect(await rig.bucket.keys("take")).toEqual(["take.mov", "take.mov.metadata.json"]);
  });

  it("P5: that is gone never takes another program's object of the same parts but other bytes for its own", async () => {
    await using rig = await startRig();
    const founding = await leaveFounding(rig, "take.mov");
    const killed = rig.launch({ FAILPOINT: "completing:kill@1" });
    expect(await killed.exited).toMatchObject({ signal: "SIGKILL" });
    await rig.bucket.abort("take.mov", founding.uploadId);
    const foreign = randomBytes(statSync(founding.path).size);
    const other = await rig.bucket.createUpload("take.mov");
    const cuts = [foreign.subarray(0, PART), foreign.subarray(PART)];
    const etags: string[] = [];
    for (const [at, cut] of cuts.entries())
      etags.push(await rig.bucket.uploadPart("take.mov", other, at + 1, cut));
    await rig.bucket.completeUpload("take.mov", other, etags);
    await rig.start();
    expect(await rig.completed(founding.path)).toMatchObject({ s3_key: "take-2.mov" });
    const still = Buffer.concat(await Array.fromAsync(rig.bucket.read("take.mov", foreign.length)));
    expect(still.equals(foreign)).toBe(true);
  });
});
