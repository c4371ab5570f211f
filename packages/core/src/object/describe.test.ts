/** The metadata object is written once in content, and the local file is touched only when it is the one that was stored. */
import { describe, expect, it, vi } from "vitest";
import { lostReply, runToEnd, streams, testWorld } from "../../test/test-world.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import { audit } from "../testing/audit.ts";
import { atCall } from "../testing/failing.ts";
import { BUCKET, PART, sampleBytes } from "../testing/test-values.ts";
import type { World, WorldOptions } from "../testing/world.ts";
import { metadataBytes, type MetadataDocument } from "./metadata.ts";

const METADATA = "a.bin.metadata.json";

function withFile(options: Partial<WorldOptions> = {}, bytes = 900): { world: World; path: string } {
  const world = testWorld(options);
  const path = world.path("a.bin");
  world.disk.append(path, sampleBytes(bytes, 1));
  return { world, path };
}

function metadata(world: World): MetadataDocument {
  return JSON.parse(
    new TextDecoder().decode(world.store.object(BUCKET, METADATA)?.bytes),
  ) as MetadataDocument;
}

describe("the metadata object", () => {
  it.each([
    ["one request", 900, 1],
    ["three parts", 2 * PART + 10, 3],
  ])(
    "is no proof that a store takes the bytes of files, of which %s carries some",
    async (_case, bytes, n) => {
      const { world } = withFile({}, bytes);
      const worker = world.worker();
      const run = vi.spyOn(worker.deps.gate, "run");
      await worker.work();
      expect(world.store.object(BUCKET, METADATA)).toBeDefined();
      expect(run.mock.calls.filter(([, , { kind }]) => kind === "sends")).toHaveLength(n);
    },
  );

  it("is sent again under its own name when it is refused although nothing stands there", async () => {
    const { world } = withFile();
    let refused = 0;
    const store = new Proxy<ObjectStore>(world.store, {
      get(target, property) {
        const value: unknown = Reflect.get(target, property, target);
        if (property !== "put") return typeof value === "function" ? (value.bind(target) as unknown) : value;
        return async (...[ref, request]: Parameters<ObjectStore["put"]>) => {
          if (ref.key !== METADATA || request.condition === undefined) return await target.put(ref, request);
          refused += 1;
          return { kind: "conflict" };
        };
      },
    });
    await runToEnd(world, { store });
    expect(world.store.object(BUCKET, METADATA)).toBeDefined();
    expect(streams(world)[0]?.status).toBe("completed");
    expect(streams(world)[0]?.s3_metadata_key).toBeUndefined();
    expect(refused).toBe(2);
  });

  it("says what was stored, from which file, in which parts, and how it was proved", async () => {
    const { world, path } = withFile({}, PART + 10);
    const facts = world.disk.facts(path);
    await runToEnd(world);
    expect(metadata(world)).toMatchObject({
      format: "sluice/metadata/1",
      stream_id: "stream0001",
      path,
      key: "a.bin",
      size: PART + 10,
      file_mtime_ns: facts.mtimeNs,
      file_ctime_ns: facts.ctimeNs,
      completed_by: "idle",
      verify_mode: "full",
      verify_result: "1 part read again",
      worker: "worker-1",
      worker_version: "0.0.0-test",
    });
    expect(metadata(world).parts.map(({ PartNumber, Offset, Size }) => [PartNumber, Offset, Size])).toEqual([
      [1, 0, PART],
      [2, PART, 10],
    ]);
  });

  it("C18: is the same bytes whoever writes it again, and whenever", async () => {
    const { world } = withFile();
    await world.worker({ dieAt: { failpoint: "described", nth: 1 } }).work();
    const [record] = streams(world);
    await world.clock.advance(3_600_000);
    await runToEnd(world);
    if (!record) throw new Error("there is a stream");
    expect(metadataBytes(record, new Map())).toEqual(world.store.object(BUCKET, METADATA)?.bytes);
    expect(world.store.versions(BUCKET, METADATA)).toHaveLength(1);
  });

  it("C18: is written again when the answer is lost, where the store has no conditions", async () => {
    const { world } = withFile({ profile: { conditionalPut: false } });
    await runToEnd(world, { storeScript: atCall("put", 2, { when: "after", throw: lostReply() }) });
    expect(audit(world)).toEqual([]);
    expect(new Set(world.store.versions(BUCKET, METADATA)).size).toBe(1);
  });

  it.each([
    ["where the store has conditions", {}],
    ["where it has none", { conditionalPut: false }],
  ])("D3c: leaves another program's object and takes the next name, %s", async (_case, profile) => {
    const { world } = withFile({ profile });
    const others = [METADATA, "a.bin.metadata-2.json"];
    for (const key of others) world.store.putForeign(BUCKET, key, sampleBytes(5, 5));
    await runToEnd(world);
    expect(audit(world)).toEqual([]);
    expect(streams(world)[0]).toMatchObject({ s3_key: "a.bin", s3_metadata_key: "a.bin.metadata-3.json" });
    for (const key of others) expect(world.store.object(BUCKET, key)?.bytes).toHaveLength(5);
    expect(world.redis.takenKeys()).toEqual([]);
  });

  it("F3: replaces that of the generation before", async () => {
    const { world, path } = withFile();
    await runToEnd(world);
    world.disk.append(path, sampleBytes(50, 2));
    await runToEnd(world);
    expect(metadata(world)).toMatchObject({ stream_id: "stream0002", supersedes: "stream0001", size: 950 });
  });

  it("P4: replaces what a stream of the same file wrote before Redis was emptied, once the file has grown", async () => {
    const { world, path } = withFile();
    await runToEnd(world);
    world.redis.empty();
    world.disk.append(path, sampleBytes(50, 2));
    await runToEnd(world, { recognise: true });
    expect(audit(world)).toEqual([]);
    expect(metadata(world).size).toBe(950);
  });
});

describe("the local file", () => {
  const remove = { afterUpload: { kind: "delete" } } as const;

  it("P8: is deleted after its delay, which the stream says", async () => {
    const { world } = withFile({ rules: remove });
    const worker = world.worker();
    await worker.scan();
    await world.clock.advance(60_000);
    expect(streams(world)[0]?.waiting_for).toContain(`"for":"tidy"`);
    expect(world.disk.paths()).toHaveLength(1);
    await worker.work();
    expect(world.disk.paths()).toEqual([]);
    expect(audit(world)).toEqual([]);
  });

  it("P8: is moved with its place in the watch", async () => {
    const world = testWorld({ rules: { afterUpload: { kind: "move", directory: "/done" } } });
    world.disk.append(world.path("cam/a.bin"), sampleBytes(10, 1));
    const worker = world.worker();
    await worker.scan();
    await world.clock.until(() => worker.busy === 0);
    expect(world.disk.paths()).toEqual(["/done/cam/a.bin"]);
  });

  it("P8, F33: is left when it changed since it was verified, and becomes a new generation", async () => {
    const { world, path } = withFile({ rules: remove });
    const worker = world.worker();
    await worker.scan();
    await world.clock.advance(60_000);
    world.disk.append(path, sampleBytes(50, 2));
    await worker.work();
    expect(world.disk.paths()).toEqual([path]);
    expect(streams(world).map((record) => record.status)).toEqual(["completed"]);
    world.rules = { ...world.rules, afterUpload: { kind: "keep" } };
    await worker.work();
    expect(audit(world)).toEqual([]);
    expect(streams(world)).toHaveLength(2);
  });

  it("P8: that cannot be tidied leaves the stream completed, with the reason", async () => {
    const { world } = withFile({ rules: remove });
    await world.worker({ dieAt: { failpoint: "assembled", nth: 1 } }).work();
    world.disk.unmount();
    await runToEnd(world);
    expect(streams(world)[0]).toMatchObject({ status: "completed", tidy_error: "the volume is away" });
  });

  it("C20: that is gone already is no failure", async () => {
    const { world, path } = withFile({ rules: remove });
    await world.worker({ dieAt: { failpoint: "assembled", nth: 1 } }).work();
    world.disk.delete(path);
    await runToEnd(world);
    expect(streams(world)[0]?.status).toBe("completed");
  });
});

it("without history a completed stream leaves its entry of completed files and nothing else", async () => {
  const { world, path } = withFile({ rules: { historyMs: 0 } });
  const worker = await runToEnd(world);
  expect(streams(world)).toEqual([]);
  expect(world.redis.done("box", path)?.stream_id).toBe("stream0001");
  await worker.work();
  expect(world.store.count("put")).toBe(2);
});
