/** SIGTERM ends the worker within the drain time, also when nothing it says goodbye to answers (P10). */
import { randomBytes } from "node:crypto";
import { renameSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { audit } from "./audit.ts";
import { PART, startRig, writeWhole } from "./rig.ts";
import { WorkerProcess } from "./rig/worker-process.ts";

/** The end waits 2 s for a goodbye and 1 s for what the drain's end interrupts; the rest is a busy machine's. */
const DRAIN_MS = 1_000;
const MOST_MS = DRAIN_MS + 7_000;

it("a worker whose Redis answers nothing ends soon after its drain time", { timeout: 120_000 }, async () => {
  await using rig = await startRig({ env: { SLUICE_DRAIN_TIMEOUT: `${DRAIN_MS}ms` } });
  const worker = await rig.start();
  const path = writeWhole(rig, "growing.mov.part", randomBytes(PART + 10));
  await rig.live(path, ({ next_part: next }) => next === "2");
  rig.redis.freeze();
  await worker.said("Redis is unavailable");
  const askedAt = performance.now();
  expect(await worker.terminate()).toEqual({ code: 0, signal: null });
  expect(performance.now() - askedAt).toBeLessThan(MOST_MS);
});

it.each(["json", "pretty"])(
  "a worker whose %s log goes to a full disk uploads, and ends in order",
  { timeout: 120_000 },
  async (format) => {
    await using rig = await startRig();
    const start = { env: rig.env({ SLUICE_LOG_FORMAT: format }), cwd: rig.directory };
    const worker = new WorkerProcess({ ...start, through: ["sh", "-c", 'exec "$@" > /dev/full', "sh"] });
    try {
      const path = writeWhole(rig, "a.mov", randomBytes(PART + 10));
      await rig.completed(path);
      await audit(rig, [{ path, key: "a.mov" }]);
      expect(await worker.terminate()).toEqual({ code: 0, signal: null });
    } finally {
      await worker.kill();
    }
  },
);

const SEAL = { SLUICE_ON_TERM: "seal", SLUICE_IDLE_TIMEOUT: "1h", SLUICE_IDLE_MAX: "1h" };

it("P10: with SLUICE_ON_TERM=seal a file under a temporary name stays as it is, and is named", async () => {
  await using rig = await startRig({ env: { ...SEAL, SLUICE_DRAIN_TIMEOUT: "2s" } });
  const worker = await rig.start();
  const path = writeWhole(rig, "a.mov.part", randomBytes(PART + 10));
  await rig.live(path, ({ next_part: next }) => next === "2");
  expect(await worker.terminate()).toEqual({ code: 75, signal: null });
  const named = worker.lines.filter(({ msg }) => msg.includes("last bytes are only on disk"));
  expect(named).toMatchObject([{ path, bytes: 10, msg: expect.stringContaining("ends in .part") }]);
  await rig.start();
  const final = join(rig.root, "a.mov");
  renameSync(path, final);
  await rig.completed(final);
  await audit(rig, [{ path: final, key: "a.mov" }]);
}, 180_000);

it("P10: with SLUICE_ON_TERM=seal a file that gets its final name after the signal is sealed", async () => {
  await using rig = await startRig({ env: { ...SEAL, SLUICE_DRAIN_TIMEOUT: "2m" } });
  const worker = await rig.start();
  const path = writeWhole(rig, "a.mov.part", randomBytes(PART + 10));
  await rig.live(path, ({ next_part: next }) => next === "2");
  const ended = worker.terminate();
  await worker.said("shutting down");
  const final = join(rig.root, "a.mov");
  renameSync(path, final);
  expect(await ended).toEqual({ code: 0, signal: null });
  await rig.completed(final);
  await audit(rig, [{ path: final, key: "a.mov" }]);
}, 180_000);
