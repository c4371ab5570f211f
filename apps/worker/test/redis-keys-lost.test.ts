/** Keys that are lost, or that something else wrote: no file is forgotten, and the worker says what is wrong. */
import { randomBytes } from "node:crypto";
import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { audit, auditRig } from "./audit.ts";
import { readiness } from "./rig/health.ts";
import { PART, startRig, writeWhole, type Rig } from "./rig.ts";

const leaseOf = async (rig: Rig) => await rig.records.redis.hgetall("worker:rig-worker");

describe("keys that are lost or wrong", { concurrent: true, timeout: 180_000 }, () => {
  it("D4a, D4b: an index that something else wrote blocks the worker; once it is removed, every file goes up", async () => {
    await using rig = await startRig();
    const worker = await rig.start();
    const before = writeWhole(rig, "before.mov.part", randomBytes(PART + 10));
    const stream = await rig.live(before, ({ next_part: next }) => next === "2");
    await rig.records.redis.set("streams:active", "junk");
    const path = writeWhole(rig, "a.mov", randomBytes(1_000));
    await rig.until("the worker's record says what is wrong", async () => {
      const { state, state_detail: detail } = await leaseOf(rig);
      return state === "blocked" && detail?.includes("the key streams:active holds a string");
    });
    expect((await leaseOf(rig))["state_since_utc"]).toMatch(/^\d{4}-/);
    expect(await readiness(worker)).toMatch(/^blocked: Redis: the key streams:active .*remove it/);
    // The file has been sighted: its bytes are counted, and nothing is written of it.
    expect(await rig.records.live(path)).toBeUndefined();
    expect(await rig.records.streams()).toHaveLength(1);
    await rig.records.redis.del("streams:active");
    await rig.completed(path);
    writeFileSync(join(rig.root, "before.mov.done"), "");
    expect((await rig.completed(before)).id).toBe(stream.id);
    await rig.until("the worker is well", async () => (await leaseOf(rig))["state"] === "ok");
    expect(await readiness(worker)).toBe("running\n");
    await audit(rig, [
      { path, key: "a.mov" },
      { path: before, key: "before.mov" },
    ]);
    await auditRig(rig);
  });

  it("D4b: an event feed that is a string, or a user without rights on streams, blocks the worker, whose streams wait", async () => {
    await using rig = await startRig();
    await rig.records.redis.call("ACL", "SETUSER", "sluice", "on", ">pass", "~*", "&*", "+@all");
    const worker = await rig.start({ SLUICE_REDIS_URL: `redis://sluice:pass@127.0.0.1:${rig.redis.port}` });
    const path = writeWhole(rig, "a.mov.part", randomBytes(PART + 10));
    const stream = await rig.live(path, ({ next_part: next }) => next === "2");
    const mended = async () => await rig.until("mended", async () => (await leaseOf(rig))["state"] === "ok");
    const blocked = async (words: string) =>
      await rig.until(`blocked: ${words}`, async () => {
        const { state, state_detail: detail } = await leaseOf(rig);
        return state === "blocked" && detail?.includes(words);
      });

    const events = await rig.records.redis.rename("events", "elsewhere");
    expect(events).toBe("OK");
    await rig.records.redis.set("events", "junk");
    appendFileSync(path, randomBytes(PART));
    await blocked("the key events holds a string instead of a stream");
    await rig.records.redis.del("events");
    await mended();
    await rig.live(path, ({ next_part: next }) => next === "3");

    await rig.records.redis.call("ACL", "SETUSER", "sluice", "-@stream");
    appendFileSync(path, randomBytes(PART));
    await blocked("Redis does not allow this user XADD on the key");
    expect(await readiness(worker)).toMatch(/^blocked: Redis: .*XADD/);
    await rig.records.redis.call("ACL", "SETUSER", "sluice", "+@stream");
    await mended();

    writeFileSync(join(rig.root, "a.mov.done"), "");
    expect((await rig.completed(path)).id).toBe(stream.id);
    const claims = (await rig.records.timeline(stream.id)).filter((line) => line.includes("taken"));
    expect(claims, "it was never let go").toEqual([]);
    await audit(rig, [{ path, key: "a.mov" }]);
  });

  it("D4a: indexes lost while the worker is down are made anew from the records, whichever they are", async () => {
    await using rig = await startRig();
    const worker = await rig.start();
    const live = writeWhole(rig, "live.mov.part", randomBytes(PART + 10));
    const stream = await rig.live(live, ({ next_part: next }) => next === "2");
    const done = await rig.completed(writeWhole(rig, "done.mov", randomBytes(100)));
    const failing = writeWhole(rig, "failed.mov.part", randomBytes(100));
    const failed = await rig.live(failing, () => true);
    await worker.kill();
    await rig.records.redis.hset(`stream:${failed.id}:meta`, {
      status: "failed_aborted_by_operator",
      failure_reason: "aborted_by_operator",
    });
    const { redis } = rig.records;
    await redis.set("stream:odd:meta", "junk");
    await redis.hset("stream:torn:meta", { schema_version: "1", status: "frozen", original_path: "/x" });
    await redis.del(
      "streams:active",
      "streams:pending_completion",
      "streams:failed",
      "streams:completed",
      "streams:by_path",
      "streams:by_key",
    );
    const again = await rig.start();
    await rig.until("each stands where it belongs", async () => {
      const [a, c, f, odd, torn] = await Promise.all(
        [stream.id, done.id, failed.id, "odd", "torn"].map((id) => rig.records.indexesOf(id)),
      );
      return (
        a?.join() === "streams:active" &&
        c?.join() === "streams:completed" &&
        [f, odd, torn].every((index) => index?.join() === "streams:failed")
      );
    });
    await rig.until("its path and keys are its own again", async () => {
      const keys = await redis.hmget(
        "streams:by_key",
        "recordings/live.mov",
        "recordings/live.mov.metadata.json",
      );
      return (await rig.records.live(live))?.id === stream.id && keys.every((id) => id === stream.id);
    });
    expect(await redis.hget("stream:torn:meta", "failure_reason")).toBe("incomplete_metadata");
    await redis.del("stream:odd:meta");
    expect(await rig.records.generations(live), "no second stream was opened").toHaveLength(1);
    writeFileSync(join(rig.root, "live.mov.done"), "");
    expect((await rig.completed(live)).id).toBe(stream.id);
    expect(again.running).toBe(true);
    await audit(rig, [{ path: live, key: "live.mov" }]);
  });

  it("D4a: an index lost under a running worker is made anew within a round", async () => {
    await using rig = await startRig();
    const worker = await rig.start();
    const path = writeWhole(rig, "a.mov.part", randomBytes(100));
    const stream = await rig.live(path, () => true);
    const { redis } = rig.records;
    const listed = async () => (await rig.records.indexesOf(stream.id)).join() === "streams:active";
    // Any write of the stream puts it back as well: it is taken out until the round finds it first.
    await rig.until("the round puts it back", async () => {
      if (worker.lines.some(({ msg }) => msg === "a stream that no index listed was put back")) return true;
      if (await listed()) await redis.del("streams:active");
      return false;
    });
    await rig.until("it is listed", listed);
    expect(await rig.records.generations(path), "no second stream was opened").toHaveLength(1);
  });

  it("D4a: a stream whose own timeline something else wrote is shown as corrupt, others get a lost path back and wait for nothing", async () => {
    await using rig = await startRig();
    const worker = await rig.start();
    const path = writeWhole(rig, "a.mov.part", randomBytes(100));
    const stream = await rig.live(path, () => true);
    const other = writeWhole(rig, "c.mov.part", randomBytes(100));
    const second = await rig.live(other, () => true);
    await rig.records.redis.del("streams:by_path");
    await rig.records.redis.del(`stream:${stream.id}:log`);
    await rig.records.redis.set(`stream:${stream.id}:log`, "junk");
    appendFileSync(path, "more");
    writeFileSync(join(rig.root, "a.mov.done"), "");
    await rig.until("it is shown as failed", async () => {
      const seen = await rig.records.stream(stream.id);
      const [status, detail] = [seen?.status, seen?.["failure_detail"]];
      return status === "failed_corrupt_record" && detail?.includes(`stream:${stream.id}:log holds a string`);
    });
    await rig.completed(writeWhole(rig, "b.mov", "other"));
    await rig.until(
      "it stands under its path",
      async () => (await rig.records.live(other))?.id === second.id,
    );
    expect(await readiness(worker)).toBe("running\n");
  });
});
