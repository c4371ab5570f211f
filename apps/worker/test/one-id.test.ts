/** A worker is one process from its first moment: under an id of its own, and stopped politely however early. */
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { startRig } from "./rig.ts";

const SOON_STOPPED = fileURLToPath(new URL("fixtures/worker-soon-stopped.ts", import.meta.url));

describe("one process under one id", { concurrent: true, timeout: 180_000 }, () => {
  it("D7j: a second worker under the id ends with 78 and says who holds it; the first works on", async () => {
    await using rig = await startRig();
    const first = await rig.start();
    const second = rig.launch();
    expect(await second.exited).toEqual({ code: 78, signal: null });
    const said = second.other.join("\n");
    expect(said).toContain(`the worker id rig-worker is held by process ${first.pid} on host `);
    expect(said).toMatch(/since 20\d\d-\d\d-\d\dT/);
    expect(said).toContain("SLUICE_WORKER_ID");
    expect(said).not.toMatch(/^\s+at /m);
    expect(first.running).toBe(true);
  });

  it("D7j: a SIGTERM that comes while the program is still being read is a polite end", async () => {
    await using rig = await startRig();
    const worker = rig.launch({}, SOON_STOPPED);
    expect(await worker.exited).toEqual({ code: 0, signal: null });
  });

  it("D7j: a worker whose launcher has another parent by now ends politely", async () => {
    await using rig = await startRig();
    const worker = rig.launch({ LAUNCHER_PARENT: "1" });
    expect(await worker.exited).toEqual({ code: 0, signal: null });
    expect(worker.lines.some(({ msg }) => msg.includes("shutting down"))).toBe(true);
  });
});
