/** A record that names a bucket the worker was not given: its own failure, and no byte of its file leaves for there. */
import { randomBytes } from "node:crypto";
import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { audit } from "./audit.ts";
import { ask } from "./rig/ask.ts";
import { leaveFounding } from "./rig/founding.ts";
import { readiness } from "./rig/health.ts";
import { BUCKET, PART, startRig, writeWhole } from "./rig.ts";

const OTHER = "elsewhere";

describe("a record that names another bucket", { concurrent: true, timeout: 180_000 }, () => {
  it("D4c: fails that stream alone, and nothing is sent to a bucket the worker was not given", async () => {
    await using rig = await startRig({ buckets: [OTHER] });
    const worker = await rig.start();
    const [a, b] = ["a.mov.part", "b.mov.part"].map((name) => writeWhole(rig, name, randomBytes(PART + 10)));
    if (a === undefined || b === undefined) throw new Error("two files were written");
    const [first] = await Promise.all(
      [a, b].map((path) => rig.live(path, ({ next_part: next }) => next === "2")),
    );
    const id = first?.id ?? "";
    await worker.kill();
    await rig.records.redis.hset(`stream:${id}:meta`, "s3_bucket", OTHER);
    const founding = await leaveFounding(rig, "old.mov", { s3_bucket: OTHER }, "streams:earlier");
    await rig.records.redis.zadd("streams:active", Date.now(), founding.id);
    for (const path of [a, b]) appendFileSync(path, randomBytes(PART));
    const again = await rig.start();
    for (const stream of [id, founding.id]) {
      await rig.until(`${stream} has failed`, async () => {
        const seen = await rig.records.stream(stream);
        return (
          seen?.status === "failed_access_denied" && seen["failure_detail"]?.includes("SLUICE_S3_OLD_BUCKETS")
        );
      });
      expect(await rig.records.indexesOf(stream)).toEqual(["streams:failed"]);
    }
    const answer = await ask(rig, "list_parts", id);
    expect(answer).toMatchObject({ result: "refused" });
    expect(answer.detail).toContain(`the bucket ${OTHER}, which is not configured for this worker`);
    expect(await ask(rig, "retry", id)).toMatchObject({ result: "refused" });
    writeFileSync(join(rig.root, "b.mov.done"), "");
    await rig.completed(b);
    expect(await readiness(again)).toBe("running\n");
    expect(rig.requests.filter(({ bucket }) => bucket === OTHER)).toEqual([]);
    await audit(rig, [{ path: b, key: "b.mov" }]);
    await again.terminate();

    // Named as an old bucket of ours, it may be written to: a retry says what became of the upload there.
    await rig.records.redis.hset(`stream:${id}:meta`, "s3_bucket", BUCKET);
    await rig.start({ SLUICE_S3_BUCKET: OTHER, SLUICE_S3_OLD_BUCKETS: BUCKET });
    expect(await ask(rig, "retry", id)).toMatchObject({ result: "done" });
    writeFileSync(join(rig.root, "a.mov.done"), "");
    expect((await rig.completed(a)).id).toBe(id);
    await audit(rig, [{ path: a, key: "a.mov" }]);
  });

  it("D4c: and an old bucket that is gone keeps only its own streams waiting", async () => {
    await using rig = await startRig();
    const worker = await rig.start();
    const a = writeWhole(rig, "a.mov.part", randomBytes(PART + 10));
    const { id } = await rig.live(a, ({ next_part: next }) => next === "2");
    await worker.kill();
    await rig.records.redis.hset(`stream:${id}:meta`, "s3_bucket", "gone");
    appendFileSync(a, randomBytes(PART));
    const again = await rig.start({ SLUICE_S3_OLD_BUCKETS: "gone" });
    await rig.until("it says what it waits for", async () =>
      (await rig.records.stream(id))?.["waiting_for"]?.includes("the old bucket gone"),
    );
    await rig.completed(writeWhole(rig, "b.mov", "other"));
    expect(await readiness(again)).toBe("running\n");
    expect((await rig.records.stream(id))?.status).toBe("processing");
  });
});
