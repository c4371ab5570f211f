import { randomBytes } from "node:crypto";
import { appendFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { audit, auditRig } from "./audit.ts";
import { PART, startRig, writeWhole, type Rig } from "./rig.ts";
import { mountedRoot, renamedRoot } from "./rig/volume.ts";

const PATIENT = { SLUICE_IDLE_TIMEOUT: "1h", SLUICE_IDLE_MAX: "1h" };

/** One file completed, one with a part in S3, one without: what a volume holds when it goes. */
async function fill(rig: Rig) {
  const done = writeWhole(rig, "done.mov", "completed");
  writeWhole(rig, "done.mov.done", "");
  const large = writeWhole(rig, "large.mov", randomBytes(PART + 10));
  const small = writeWhole(rig, "small.mov", "not complete");
  await rig.completed(done);
  const live = [
    await rig.live(large, ({ next_part: next }) => next === "2"),
    await rig.live(small, ({ file_size: size }) => size === "12"),
  ];
  return { done, large, small, live };
}

async function waitsForVolume(rig: Rig, id: string): Promise<void> {
  await rig.until("the stream waits for its volume", async () => {
    const stream = await rig.records.stream(id);
    return stream?.["waiting_for"]?.startsWith('{"for":"volume"') === true;
  });
}

describe("a watch whose volume goes away (F12, F32)", { concurrent: true, timeout: 180_000 }, () => {
  it.each([
    ["is unmounted", mountedRoot],
    ["is renamed", renamedRoot],
  ])("and %s is offline, its streams wait, and all goes on when it is back", async (_, volumeOf) => {
    await using rig = await startRig({ env: PATIENT });
    using volume = volumeOf(rig.root);
    const worker = await rig.start();
    const { done, large, small, live } = await fill(rig);
    const asked = rig.requests.length;
    volume.takeAway();
    await rig.until(
      "the watch is offline",
      async () => (await rig.records.watchState("watch")) === "offline",
    );
    for (const { id } of live) await waitsForVolume(rig, id);
    volume.putBack();
    await worker.said("a watch is back");
    expect(rig.requests).toHaveLength(asked);
    appendFileSync(large, randomBytes(PART));
    for (const path of [large, small]) writeWhole(rig, `${path.slice(rig.root.length + 1)}.done`, "");
    expect((await rig.completed(large)).id).toBe(live[0]?.id);
    expect((await rig.completed(small)).id).toBe(live[1]?.id);
    await audit(rig, [
      { path: done, key: "done.mov" },
      { path: large, key: "large.mov" },
      { path: small, key: "small.mov" },
    ]);
    await auditRig(rig);
  });

  it("before the worker starts again is waited for, not taken for missing files", async () => {
    await using rig = await startRig({ env: PATIENT });
    using volume = mountedRoot(rig.root);
    const first = await rig.start();
    const { done, large, small, live } = await fill(rig);
    await first.kill();
    volume.takeAway();
    await rig.start();
    await rig.until(
      "the watch is offline",
      async () => (await rig.records.watchState("watch")) === "offline",
    );
    for (const { id } of live) await waitsForVolume(rig, id);
    volume.putBack();
    for (const path of [large, small]) writeWhole(rig, `${path.slice(rig.root.length + 1)}.done`, "");
    expect((await rig.completed(large)).id).toBe(live[0]?.id);
    expect((await rig.completed(small)).id).toBe(live[1]?.id);
    await audit(rig, [
      { path: done, key: "done.mov" },
      { path: large, key: "large.mov" },
      { path: small, key: "small.mov" },
    ]);
    await auditRig(rig);
  });
});
