import { createServer, type AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { audit, auditRig } from "./audit.ts";
import { startRig, writeWhole } from "./rig.ts";

/** A port nobody listens on. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe("a start without Redis", { concurrent: true, timeout: 180_000 }, () => {
  it("waits for it, says so, and goes on when it is there", async () => {
    await using rig = await startRig();
    await rig.redis.kill();
    const path = writeWhole(rig, "a.bin", "bytes");
    const worker = rig.launch();
    await worker.said("Redis is unavailable: the start waits for it");
    await rig.redis.start();
    await worker.ready();
    expect(await rig.completed(path)).toMatchObject({ status: "completed" });
    await audit(rig, [{ path, key: "a.bin" }]);
    await auditRig(rig);
  });

  it("can be ended while it waits", async () => {
    await using rig = await startRig();
    await rig.redis.kill();
    const worker = rig.launch();
    await worker.said("Redis is unavailable: the start waits for it");
    expect(await worker.terminate()).toEqual({ code: 0, signal: null });
  });
});

describe("a start without S3", { concurrent: true, timeout: 180_000 }, () => {
  it("waits for it, says so, and goes on when it is there", async () => {
    await using rig = await startRig();
    rig.s3.faults.add({ times: -1 }, { kind: "drop" });
    const path = writeWhole(rig, "a.bin", "bytes");
    const worker = rig.launch();
    await worker.said("the store cannot be used yet");
    rig.s3.faults.clear();
    await worker.ready();
    expect(await rig.completed(path)).toMatchObject({ status: "completed" });
    await audit(rig, [{ path, key: "a.bin" }]);
    await auditRig(rig);
  });

  it("waits also when nobody listens at its address, and can be ended meanwhile", async () => {
    await using rig = await startRig();
    const worker = rig.launch({ SLUICE_S3_ENDPOINT: `http://127.0.0.1:${await closedPort()}` });
    await worker.said("the store cannot be used yet");
    expect(await worker.terminate()).toEqual({ code: 0, signal: null });
  });
});

describe("a start that is refused", { concurrent: true, timeout: 180_000 }, () => {
  it("names every problem at once, ends with 78 and touches nothing", async () => {
    await using rig = await startRig();
    const before = rig.requests.length;
    const worker = rig.launch({
      SLUICE_PART_SIZE: "4MiB",
      SLUICE_IDLE_TIMEOUT: "soon",
      SLUICE_ON_CONFLICT: "maybe",
      SLUICE_REDIS_URL: "http://127.0.0.1",
      SLUICE_UPLOAD_CONCURENCY: "4",
    });
    expect((await worker.exited).code).toBe(78);
    const said = worker.other.join("\n");
    for (const name of ["PART_SIZE", "IDLE_TIMEOUT", "ON_CONFLICT", "REDIS_URL", "UPLOAD_CONCURRENCY"]) {
      expect(said).toContain(`SLUICE_${name}`);
    }
    expect(rig.requests).toHaveLength(before);
    expect(await rig.records.redis.dbsize()).toBe(0);
  });

  it("says that a watch is missing", async () => {
    await using rig = await startRig();
    const worker = rig.launch({ SLUICE_WATCH: `${rig.directory}/nowhere` });
    expect((await worker.exited).code).toBe(78);
    expect(worker.other.join("\n")).toContain(`${rig.directory}/nowhere`);
    expect(await rig.records.streams()).toEqual([]);
  });

  it("R4: says that Redis evicts, unless that is allowed", async () => {
    await using rig = await startRig();
    await rig.records.redis.config("SET", "maxmemory", "100mb");
    await rig.records.redis.config("SET", "maxmemory-policy", "allkeys-lru");
    const refused = rig.launch();
    expect((await refused.exited).code).toBe(78);
    expect(refused.other.join("\n")).toContain("noeviction");
    await rig.start({ SLUICE_ALLOW_EVICTION: "true" });
  });

  it("says which bucket is missing, and which credentials are rejected", async () => {
    await using rig = await startRig();
    const missing = rig.launch({ SLUICE_S3_BUCKET: "nobodys" });
    const rejected = rig.launch({ SLUICE_WORKER_ID: "other", AWS_SECRET_ACCESS_KEY: "wrong" });
    expect((await missing.exited).code).toBe(78);
    expect(missing.other.join("\n")).toContain("nobodys");
    expect((await rejected.exited).code).toBe(78);
    expect(rejected.other.join("\n")).toMatch(/SignatureDoesNotMatch|credentials/i);
  });
});
