/** The start-up scan: every record of the live indexes is classified before the watcher may open a stream. */
import { randomBytes } from "node:crypto";
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { TROUBLE } from "@sluice/local-s3";
import { describe, expect, it } from "vitest";
import { BUCKET, PART, startRig, writeWhole } from "./rig.ts";
import { leaveFounding } from "./rig/founding.ts";

const MANY = 500;

describe("the start-up scan", { concurrent: true, timeout: 180_000 }, () => {
  it(`resumes ${MANY} streams whose files are there, and opens none of them twice`, async () => {
    await using rig = await startRig();
    const first = await rig.start();
    for (let at = 0; at < MANY; at += 1) writeWhole(rig, `take-${at}.mov.part`, "a beginning");
    const ids = await rig.until("all are at work", async () => {
      const active = await rig.records.redis.zrange("streams:active", "0", "-1");
      return active.length === MANY && active;
    });
    await first.kill();
    const second = await rig.start();
    expect(await second.said("interrupted streams resumed")).toMatchObject({ resumed: MANY, broken: 0 });
    const late = writeWhole(rig, "late.mov", "seen by a walk after the start");
    await rig.completed(late);
    expect((await rig.records.redis.zrange("streams:active", "0", "-1")).toSorted()).toEqual(ids.toSorted());
    expect(await rig.records.redis.hlen("streams:by_path")).toBe(MANY);
  });

  it("resumes founding records, missing statuses included, moves ended ones to their own index, and no bad one stops it", async () => {
    await using rig = await startRig();
    const { redis } = rig.records;
    const missing = await leaveFounding(rig, "missing-status.mov");
    const processing = await leaveFounding(rig, "processing.mov", { status: "processing" });
    const pending = await leaveFounding(
      rig,
      "pending.mov",
      { status: "pending_completion" },
      "streams:pending_completion",
    );
    await leaveFounding(rig, "done.mov.tmp", { status: "completed" });
    await leaveFounding(rig, "failed.mov.tmp", { status: "failed_unknown", failure_reason: "unknown" });
    await redis.sadd("streams:active", "no-record", "no-path", "no-hash", "bad-version");
    await redis.hset("stream:no-path:meta", { s3_bucket: BUCKET });
    await redis.set("stream:no-hash:meta", "a string");
    await redis.hset("stream:bad-version:meta", { schema_version: "one", original_path: "/x" });
    const worker = await rig.start();
    await worker.said("interrupted streams resumed");
    for (const { id, path } of [missing, processing, pending]) {
      const stream = await rig.completed(path);
      expect(stream.id, path).toBe(id);
    }
    const failed = await redis.zrange("streams:failed", "0", "-1");
    expect(failed).toEqual(expect.arrayContaining(["founding-failed.mov.tmp", "no-record", "no-path"]));
    expect(await redis.zrange("streams:completed", "0", "-1")).toContain("founding-done.mov.tmp");
    const active = await redis.zrange("streams:active", "0", "-1");
    for (const id of ["founding-done.mov.tmp", "founding-failed.mov.tmp", "no-record", "no-path"])
      expect(active).not.toContain(id);
  });

  it("waits for the store where a founding record needs it, and starts all the same", async () => {
    await using rig = await startRig();
    const waiting = await leaveFounding(rig, "waiting.mov");
    const probed = await rig.start();
    await rig.completed(waiting.path);
    await probed.kill();
    const again = await leaveFounding(rig, "again.mov");
    const fault = rig.s3.faults.add(
      { operation: ["ListMultipartUploads", "ListParts"], times: -1 },
      TROUBLE.internalError(),
    );
    const worker = await rig.start();
    await worker.said("a record of an early version waits for the store");
    rig.s3.faults.remove(fault);
    expect((await rig.completed(again.path)).id).toBe(again.id);
  });

  it("fails a file that is gone as file_missing_on_resume, and heals when it is back", async () => {
    await using rig = await startRig();
    const kept = writeWhole(rig, "kept.mov.part", "there");
    const path = writeWhole(rig, "gone.mov.part", randomBytes(PART + 1));
    const first = await rig.start();
    const stream = await rig.live(path, ({ next_part: next }) => next === "2");
    await rig.live(kept, ({ status }) => status === "opening");
    await first.kill();
    const aside = join(rig.directory, "aside");
    renameSync(path, aside);
    await rig.start();
    await rig.until("it has failed for that reason", async () => {
      const now = await rig.records.stream(stream.id);
      return now?.status === "failed_file_missing_on_resume";
    });
    renameSync(aside, path);
    writeFileSync(join(rig.root, "gone.mov.done"), "");
    expect((await rig.completed(path)).id).toBe(stream.id);
  });
});
