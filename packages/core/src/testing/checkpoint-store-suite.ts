/** What every checkpoint store must do for the domain, whatever it is made of: one suite proves every adapter. */
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { CheckpointError } from "../errors.ts";
import type { CheckpointStore, StreamWrite } from "../ports/checkpoint-store.ts";
import { patched, type Part, type RecordPatch, type StreamRecord } from "../stream/record.ts";
import { INDEXES, KINDS, type Index } from "../stream/state.ts";
import { streamId } from "../stream/values.ts";
import { BUCKET, newStream, PART } from "./test-values.ts";
import type { DoneEntry } from "../stream/completed-file.ts";

/** Empty at the start. */
export interface CheckpointsUnderTest {
  /** As a worker of this id sees it, under a new lease. */
  connect(worker: string): Promise<CheckpointStore>;
  /** The lease of this worker runs out. */
  lapse(worker: string): Promise<void>;
  index(index: Index): Promise<string[]>;
  close?(): Promise<void>;
}

/** `make` is called for each test, and what it made before closed. */
export function checkpointStoreSuite(name: string, make: () => Promise<CheckpointsUnderTest>): void {
  describe(`${name} is a checkpoint store`, () => {
    let made: CheckpointsUnderTest | undefined;
    let one: CheckpointStore;
    let two: CheckpointStore;
    beforeEach(async () => {
      await made?.close?.();
      made = await make();
      one = await made.connect("w1");
      two = await made.connect("w2");
    });
    afterAll(async () => {
      await made?.close?.();
    });

    const open = async (store: CheckpointStore, record: StreamRecord) =>
      await store.open({ record, log: ["found"] });
    /** Writes, and gives the record as it is afterwards. */
    const write = async (record: StreamRecord, change: Partial<StreamWrite>): Promise<StreamRecord> => {
      const full: StreamWrite = { from: KINDS, patch: {}, ...change };
      expect(await one.write(record, full)).toEqual({ kind: "written" });
      return { ...patched(record, full.patch), revision: record.revision + 1 };
    };
    const indexesOf = async (id: string): Promise<Index[]> => {
      const found: Index[] = [];
      for (const index of INDEXES) if ((await made?.index(index))?.includes(id)) found.push(index);
      return found;
    };

    describe("opening", () => {
      test("R7: a stream is opened once, however often it is asked", async () => {
        expect(await open(one, fresh("s1"))).toEqual({ kind: "opened" });
        expect(await open(one, fresh("s1"))).toEqual({ kind: "opened" });
        expect(await indexesOf("s1")).toEqual(["active"]);
      });

      test("a path has one live stream", async () => {
        await open(one, fresh("s1"));
        expect(await open(two, { ...fresh("s2"), owner: "w2" })).toEqual({ kind: "taken", by: "s1" });
        expect(await indexesOf("s2")).toEqual([]);
      });

      test("a file that another worker completed meanwhile is told, not opened", async () => {
        await open(one, fresh("s1"));
        await write(fresh("s1"), { patch: { status: "completed" }, releasePath: true, done: done("s1") });
        const later = { record: fresh("s2"), log: [] };
        expect(await one.open({ ...later, knownDone: "" })).toEqual({ kind: "done", entry: done("s1") });
        expect(await one.open({ ...later, knownDone: "s1" })).toEqual({ kind: "opened" });
      });

      test("F8: a new generation takes the path in the same step that ends the one before, or nothing happens", async () => {
        await open(one, fresh("s1"));
        const ended: StreamWrite = {
          from: KINDS,
          patch: { status: "failed_file_replaced" },
          releasePath: true,
        };
        const next = { record: fresh("s2"), log: [] };
        const stale = { ...fresh("s1"), revision: 7 };
        expect(await one.open({ ...next, replacing: { record: stale, write: ended } })).toMatchObject({
          kind: "older",
          gone: false,
        });
        expect([await indexesOf("s1"), await indexesOf("s2")]).toEqual([["active"], []]);
        const replacing = { record: fresh("s1"), write: ended };
        expect(await one.open({ ...next, replacing })).toEqual({ kind: "opened" });
        expect(await one.open({ ...next, replacing })).toEqual({ kind: "opened" });
        expect([await indexesOf("s1"), await indexesOf("s2")]).toEqual([["failed"], ["active"]]);
      });
    });

    describe("a Redis that has less of a stream than it confirmed", () => {
      const change: StreamWrite = { from: KINDS, patch: { waiting_for: "x" } };

      test("D8b: a write says so, whether the record is older or gone", async () => {
        await open(one, fresh("s1"));
        for (const ahead of [{ revision: 7 }, { fence: 2 }]) {
          const outcome = await one.write({ ...fresh("s1"), ...ahead }, change);
          expect(outcome).toMatchObject({ kind: "older", gone: false });
        }
        const outcome = await one.write({ ...fresh("s1"), id: streamId("s9") }, change);
        expect(outcome).toMatchObject({ kind: "older", gone: true });
      });

      test("D8b: the stream is written back whole, under a higher fence, and goes on from there", async () => {
        await open(one, fresh("s1"));
        const known: StreamRecord = {
          ...fresh("s1"),
          original_path: "/rec/renamed.mkv",
          status: "processing",
          s3_key: "renamed.mkv",
          s3_upload_id: "u",
          revision: 7,
        };
        const parts = new Map([part(1), part(2)].map((one) => [one.PartNumber, one]));
        const back = await one.writeBack(known, parts);
        expect(back).toEqual({ kind: "written", fence: 2 });
        const now = { ...known, fence: 2 };
        expect(await one.writeBack(now, parts)).toEqual({ kind: "kept" });
        expect(await one.parts(streamId("s1"))).toEqual(parts);
        expect(await indexesOf("s1")).toEqual(["active"]);
        expect(await one.write(known, change), "the fence before").toMatchObject({ kind: "lost" });
        expect(await write(now, { patch: { waiting_for: "x" } })).toMatchObject({ revision: 8 });
        expect(await open(two, { ...fresh("s2"), owner: "w2" }), "its path before is free").toEqual({
          kind: "opened",
        });
        const there = { ...fresh("s3"), original_path: known.original_path };
        expect(await open(one, there)).toEqual({ kind: "taken", by: "s1" });
      });

      test("D8b: a stream that is gone comes back; one that a living worker took meanwhile is lost", async () => {
        const known = { ...fresh("s1"), revision: 3 };
        expect(await one.writeBack(known, new Map([[1, part(1)]]))).toEqual({ kind: "written", fence: 2 });
        expect(await indexesOf("s1")).toEqual(["active"]);
        await made?.lapse("w1");
        await expect(one.writeBack({ ...known, revision: 9 }, new Map())).rejects.toBeInstanceOf(
          CheckpointError,
        );
        expect(await two.claim([streamId("s1")])).toMatchObject([{ kind: "claimed" }]);
        const again = await made?.connect("w1");
        expect(await again?.writeBack({ ...known, revision: 9 }, new Map())).toMatchObject({ kind: "lost" });
      });
    });

    describe("writing", () => {
      test("R7: a write that is sent twice changes nothing the second time", async () => {
        await open(one, fresh("s1"));
        const change: StreamWrite = { from: ["opening"], patch: { status: "processing" }, parts: [part(1)] };
        expect(await one.write(fresh("s1"), change)).toEqual({ kind: "written" });
        expect(await one.write(fresh("s1"), change)).toEqual({ kind: "written" });
        expect((await one.parts(streamId("s1"))).size).toBe(1);
      });

      test("another write of the same revision is lost", async () => {
        await open(one, fresh("s1"));
        await write(fresh("s1"), { patch: { waiting_for: "a" } });
        const second: StreamWrite = { from: KINDS, patch: { waiting_for: "b" } };
        expect(await one.write(fresh("s1"), second)).toMatchObject({ kind: "lost" });
      });

      test.each([
        ["R9: another worker owns it", { owner: "w2" }],
        ["R9: the fence is an older one", { fence: 0 }],
      ])("is refused when %s", async (_case, over) => {
        await open(one, fresh("s1"));
        const change: StreamWrite = { from: KINDS, patch: { waiting_for: "x" } };
        expect(await one.write({ ...fresh("s1"), ...over }, change)).toMatchObject({ kind: "lost" });
      });

      test("is refused in a state it does not allow", async () => {
        await open(one, fresh("s1"));
        const change: StreamWrite = { from: ["processing"], patch: { status: "pending_completion" } };
        expect(await one.write(fresh("s1"), change)).toMatchObject({ kind: "lost" });
        expect(await indexesOf("s1")).toEqual(["active"]);
      });

      test("P7: waits for a lease that lapsed, and is refused to a process whose id another took", async () => {
        await open(one, fresh("s1"));
        const change: StreamWrite = { from: KINDS, patch: { waiting_for: "x" } };
        await made?.lapse("w1");
        await expect(one.write(fresh("s1"), change)).rejects.toBeInstanceOf(CheckpointError);
        await made?.connect("w1");
        expect(await one.write(fresh("s1"), change)).toMatchObject({ kind: "lost" });
      });

      test("parts are added, replaced by number, and dropped all together", async () => {
        await open(one, fresh("s1"));
        let record = await write(fresh("s1"), { parts: [part(1), part(3)] });
        record = await write(record, { parts: [{ ...part(1), ETag: "new" }] });
        expect([...(await one.parts(record.id)).values()].map((one) => one.ETag)).toEqual(["new", "e3"]);
        await write(record, { dropParts: true, parts: [part(2)] });
        expect([...(await one.parts(record.id)).keys()]).toEqual([2]);
      });

      test("C21: a stream is in exactly one index, whatever state it moves to", async () => {
        await open(one, fresh("s1"));
        let record = fresh("s1");
        const moves: [RecordPatch["status"], Index][] = [
          ["processing", "active"],
          ["pending_completion", "pending_completion"],
          ["s3_completed", "pending_completion"],
          ["failed_object_conflict", "failed"],
        ];
        for (const [status, index] of moves) {
          record = await write(record, { patch: { status: status ?? null } });
          expect(await indexesOf("s1")).toEqual([index]);
        }
      });

      test("keys are taken all or none, given back, and not taken away", async () => {
        await open(one, fresh("s1"));
        await open(one, fresh("s2", "/inbox/b"));
        const first = await write(fresh("s1"), { takeKeys: ["b/k", "b/k.meta"] });
        const wants: StreamWrite = { from: KINDS, patch: {}, takeKeys: ["b/free", "b/k"] };
        expect(await one.write(fresh("s2", "/inbox/b"), wants)).toEqual({ kind: "key_taken", by: "s1" });
        const again = await write(first, { takeKeys: ["b/k", "b/free"], releaseKeys: ["b/k.meta"] });
        await write(again, { releaseKeys: ["b/k", "b/free"] });
        expect(await one.write(fresh("s2", "/inbox/b"), wants)).toEqual({ kind: "written" });
      });

      test("a failed stream gives its path free, and takes it again when it lives again, if nobody else does", async () => {
        await open(one, fresh("s1"));
        const failed = await write(fresh("s1"), {
          patch: { status: "failed_file_missing" },
          releasePath: true,
        });
        expect(await open(one, fresh("s2"))).toEqual({ kind: "opened" });
        const [claim] = await one.claim([failed.id]);
        if (claim?.kind !== "claimed") throw new Error("a failed stream can be claimed");
        const revive: StreamWrite = { from: ["failed"], patch: { status: "opening" } };
        expect(await one.write(claim.record, revive)).toMatchObject({ kind: "lost" });
        await write(fresh("s2"), { remove: true });
        expect(await one.write(claim.record, revive)).toEqual({ kind: "written" });
        expect(await open(one, fresh("s3"))).toEqual({ kind: "taken", by: "s1" });
      });

      test("a removed stream leaves nothing, and removing it twice is no harm", async () => {
        await open(one, fresh("s1"));
        const change: StreamWrite = { from: KINDS, patch: {}, remove: true, releasePath: true };
        expect(await one.write(fresh("s1"), change)).toEqual({ kind: "written" });
        expect(await one.write(fresh("s1"), change)).toEqual({ kind: "written" });
        expect(await indexesOf("s1")).toEqual([]);
        expect(await one.claim([streamId("s1")])).toEqual([{ kind: "absent" }]);
        expect(await open(one, fresh("s2"))).toEqual({ kind: "opened" });
      });
    });

    test("F31: a rename moves the claim of the path, unless another stream lives there", async () => {
      await open(one, fresh("s1"));
      await open(one, fresh("s2", "/inbox/b"));
      const change: StreamWrite = { from: KINDS, patch: {} };
      expect(await one.rename(fresh("s1"), "/inbox/b", change)).toEqual({ kind: "path_taken", by: "s2" });
      expect(await one.rename(fresh("s1"), "/inbox/c", change)).toEqual({ kind: "written" });
      expect(await one.rename(fresh("s1"), "/inbox/c", change)).toEqual({ kind: "written" });
      expect(await open(one, fresh("s3"))).toEqual({ kind: "opened" });
      expect(await open(one, fresh("s4", "/inbox/c"))).toEqual({ kind: "taken", by: "s1" });
    });

    describe("claiming", () => {
      test("takes what nobody living holds, with the next fence, and answers in the order asked", async () => {
        await open(one, fresh("s1"));
        await open(two, { ...fresh("s2", "/inbox/b"), owner: "w2" });
        await one.release(fresh("s1"));
        const ids = [streamId("s2"), streamId("none"), streamId("s1")];
        const claims = await one.claim(ids);
        expect(claims).toMatchObject([
          { kind: "held", by: "w2" },
          { kind: "absent" },
          { kind: "claimed", record: { id: "s1", owner: "w1", fence: 2 } },
        ]);
      });

      test("R9: takes over when the lease has lapsed, and the owner before writes nothing more", async () => {
        await open(one, fresh("s1"));
        await made?.lapse("w1");
        expect(await two.claim([streamId("s1")])).toMatchObject([{ kind: "claimed", record: { fence: 2 } }]);
        const change: StreamWrite = { from: KINDS, patch: { waiting_for: "x" } };
        expect(await one.write(fresh("s1"), change)).toMatchObject({ kind: "lost" });
      });

      test("a completed stream is nobody's any more", async () => {
        await open(one, fresh("s1"));
        await write(fresh("s1"), { patch: { status: "completed" }, releasePath: true });
        expect(await two.claim([streamId("s1")])).toEqual([{ kind: "absent" }]);
      });

      test("letting go of what is not held any more does nothing", async () => {
        await open(one, fresh("s1"));
        await one.release(fresh("s1"));
        await two.claim([streamId("s1")]);
        await one.release(fresh("s1"));
        expect(await one.claim([streamId("s1")])).toMatchObject([{ kind: "held", by: "w2" }]);
      });
    });
  });
}

const fresh = (id: string, path = "/inbox/a") => newStream({ id, path });

function part(n: number): Part {
  return { PartNumber: n, ETag: `e${n}`, Size: PART, Offset: (n - 1) * PART };
}

function done(stream_id: string): DoneEntry {
  return {
    stream_id,
    file_inode: "7",
    file_birthtime_ns: "1",
    file_size: 9,
    file_mtime_ns: "2",
    s3_bucket: BUCKET,
    s3_key: "a",
    completed_at_utc: "2026-01-01T00:00:00.000Z",
  };
}
