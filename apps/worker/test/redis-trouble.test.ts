/** Redis in trouble: no stream fails, the worker says what it waits for, and goes on by itself when that is over. */
import { randomBytes } from "node:crypto";
import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LIMITS } from "@sluice/core";
import { describe, expect, it } from "vitest";
import { audit, auditRig } from "./audit.ts";
import { lagBytes, readiness } from "./rig/health.ts";
import { PART, startRig, writeWhole, type Rig } from "./rig.ts";

const BEGINS = "Redis is unavailable";

describe("a Redis in trouble", { concurrent: true, timeout: 180_000 }, () => {
  it.each([
    [
      "is killed and comes back",
      async (rig: Rig) => await rig.redis.kill(),
      async (rig: Rig) => await rig.redis.start(),
    ],
    [
      "freezes for longer than a lease lasts",
      async (rig: Rig) => rig.redis.freeze(),
      async (rig: Rig) => rig.redis.thaw(),
    ],
  ])(
    "R8, R18: a Redis that %s fails no stream, sends no acknowledged part again, and hides no lag",
    async (_, stop, start) => {
      await using rig = await startRig();
      const worker = await rig.start();
      const path = writeWhole(rig, "large.mov.part", randomBytes(PART + 10));
      const stream = await rig.live(path, ({ next_part: next }) => next === "2");
      await stop(rig);
      const stoppedAtMs = performance.now();
      appendFileSync(path, randomBytes(2 * PART));
      await worker.said(BEGINS);
      await rig.until("lag shows what was written since", async () => (await lagBytes(worker)) >= 2 * PART);
      appendFileSync(path, randomBytes(PART));
      const fresh = writeWhole(rig, "new.mov", randomBytes(1_000));
      await rig.until("and goes on growing", async () => (await lagBytes(worker)) >= 3 * PART + 1_010);
      expect(await readiness(worker)).toMatch(/^blocked: Redis: .* bytes on disk are not in S3 yet/s);
      await rig.until(
        "the lease has lapsed",
        () => performance.now() - stoppedAtMs > LIMITS.leaseTtlMs + LIMITS.redisCommandMs,
      );
      expect(worker.lines.filter(({ msg }) => msg.includes(BEGINS))).toHaveLength(1);
      await start(rig);
      await worker.said("Redis stores checkpoints again");
      writeFileSync(join(rig.root, "large.mov.done"), "");
      expect((await rig.completed(path)).id).toBe(stream.id);
      await rig.completed(fresh);
      await audit(rig, [
        { path, key: "large.mov" },
        { path: fresh, key: "new.mov" },
      ]);
      await auditRig(rig);
    },
  );

  it("R5: that is full blocks the worker, which says so, fails no stream, and heals when there is room", async () => {
    await using rig = await startRig();
    const worker = await rig.start();
    const path = writeWhole(rig, "large.mov.part", randomBytes(PART + 10));
    const stream = await rig.live(path, ({ next_part: next }) => next === "2");
    await rig.records.redis.config("SET", "maxmemory", "1");
    appendFileSync(path, randomBytes(2 * PART));
    const fresh = writeWhole(rig, "new.mov", randomBytes(1_000));
    const full = "Redis is out of memory (maxmemory reached)";
    await rig.until("the worker's record says that it is blocked, and why", async () => {
      const { state, state_detail: detail } = await rig.records.redis.hgetall("worker:rig-worker");
      return state === "blocked" && detail?.includes(full);
    });
    expect((await worker.said(BEGINS))["reason"]).toContain(full);
    expect(await readiness(worker)).toContain(full);
    await rig.until("lag shows the new file too", async () => (await lagBytes(worker)) >= 1_000);
    const sealsAtMs = performance.now();
    await rig.until(
      "it outlasts a lease that nobody renews",
      () => performance.now() - sealsAtMs > LIMITS.leaseTtlMs,
    );
    expect(await rig.records.redis.hget("worker:rig-worker", "state"), "its lease is held").toBe("blocked");
    await rig.records.redis.config("SET", "maxmemory", "0");
    await worker.said("Redis stores checkpoints again");
    writeFileSync(join(rig.root, "large.mov.done"), "");
    expect((await rig.completed(path)).id).toBe(stream.id);
    await rig.completed(fresh);
    await rig.until(
      "the worker's record says that it is well",
      async () => (await rig.records.redis.hget("worker:rig-worker", "state")) === "ok",
    );
    expect((await rig.records.timeline(stream.id)).join("\n")).not.toContain("failed");
    await audit(rig, [
      { path, key: "large.mov" },
      { path: fresh, key: "new.mov" },
    ]);
    await auditRig(rig);
  });
});
