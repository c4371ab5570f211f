/** Redis is emptied under a running worker (P4): it notices, looks into S3 first, and sends nothing twice. */
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { auditRig } from "./audit.ts";
import { PART, startRig, writeWhole } from "./rig.ts";

describe("a Redis emptied under a running worker", { concurrent: true, timeout: 180_000 }, () => {
  it("costs nothing: completed files are known again, an open upload goes on where it was", async () => {
    await using rig = await startRig();
    const worker = await rig.start();
    const done = { path: writeWhole(rig, "done.mov", randomBytes(2 * PART + 10)), key: "done.mov" };
    await rig.completed(done.path);
    const growing = writeWhole(rig, "growing.mov.part", randomBytes(2 * PART + 10));
    const before = await rig.live(growing, ({ next_part: next }) => next === "3");
    const asked = rig.requests.length;
    await rig.records.redis.flushall();
    await worker.said("Redis was emptied");
    appendFileSync(growing, randomBytes(PART));
    await worker.said("has been looked up in S3");
    expect(await rig.records.done(done.path)).toBeDefined();
    writeFileSync(join(rig.root, "growing.mov.done"), "");
    const after = await rig.completed(growing);
    expect(after["s3_upload_id"]).toBe(before["s3_upload_id"]);
    const data = rig.requests
      .slice(asked)
      .filter(
        ({ operation, key }) =>
          operation === "UploadPart" || (operation === "PutObject" && key?.endsWith(".mov")),
      );
    expect(data.map(({ operation, key, partNumber }) => `${operation} ${key} ${partNumber}`)).toEqual([
      "UploadPart growing.mov 3",
      "UploadPart growing.mov 4",
    ]);
    expect((await rig.bucket.keys()).filter((key) => key.endsWith(".mov")).toSorted()).toEqual([
      "done.mov",
      "growing.mov",
    ]);
    expect(await rig.bucket.openUploads()).toEqual([]);
    expect(worker.running).toBe(true);
    for (const { path, key } of [done, { path: growing, key: "growing.mov" }]) {
      const bytes = readFileSync(path);
      const stored = Buffer.concat(await Array.fromAsync(rig.bucket.read(key, bytes.length)));
      expect(stored.equals(bytes)).toBe(true);
    }
    await auditRig(rig);
  });
});
