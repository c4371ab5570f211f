import { randomBytes } from "node:crypto";
import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { TROUBLE, type FaultAction, type FaultMatch, type Operation } from "@sluice/local-s3";
import { LIMITS } from "@sluice/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { audit, auditRig } from "./audit.ts";
import { PART, startRig, writeWhole, type Rig } from "./rig.ts";

const COMPLETE = "CompleteMultipartUpload";

describe("a store that errs once", { concurrent: true, timeout: 180_000 }, () => {
  let rig: Rig;

  beforeAll(async () => {
    rig = await startRig();
    await rig.start();
  });

  afterAll(async () => {
    await rig?.[Symbol.asyncDispose]();
  });

  const cases: { and: string; on: Operation; match?: FaultMatch; meets?: string; action: FaultAction }[] = [
    { and: "loses the reply to Create", on: "CreateMultipartUpload", action: { kind: "loseReply" } },
    { and: "drops the connection at Create", on: "CreateMultipartUpload", action: { kind: "drop" } },
    { and: "loses the reply to a part", on: "UploadPart", match: { nth: 2 }, action: { kind: "loseReply" } },
    {
      and: "cuts a part in the middle",
      on: "UploadPart",
      action: { kind: "cutBody", afterBytes: 1_000_000 },
    },
    { and: "garbles a part on the wire", on: "UploadPart", action: { kind: "flip", at: 77, where: "wire" } },
    { and: "asks to slow down", on: "UploadPart", match: { times: 2 }, action: TROUBLE.slowDown(1) },
    { and: "has an internal error", on: "UploadPart", match: { times: 3 }, action: TROUBLE.internalError() },
    { and: "leaves out an ETag", on: "UploadPart", action: TROUBLE.missingETag() },
    { and: "loses the reply to Complete (S13, C15)", on: COMPLETE, action: { kind: "loseReply" } },
    {
      and: "answers Complete with 200 and an error (S12, K1)",
      on: COMPLETE,
      action: TROUBLE.errorIn200(true),
    },
    { and: "answers Complete with a web page", on: COMPLETE, action: TROUBLE.htmlIn200() },
    {
      and: "drips white space before Complete",
      on: COMPLETE,
      action: { kind: "drip", spaces: 5, everyMs: 100 },
    },
    { and: "loses the reply to Put", on: "PutObject", action: { kind: "loseReply" } },
    { and: "garbles a Put on the wire", on: "PutObject", action: { kind: "flip", at: 7, where: "wire" } },
    {
      and: "loses the reply to the metadata object",
      on: "PutObject",
      meets: ".metadata.json",
      action: { kind: "loseReply" },
    },
  ];

  it.each(cases)(
    "and $and: one object, nothing sent twice",
    async ({ and, on, match, meets = "", action }) => {
      const name = `${and.replaceAll(/\W+/g, "-")}.mov`;
      const fault = rig.s3.faults.add({ ...match, operation: on, key: name + meets }, action);
      const path = writeWhole(rig, name, randomBytes(on === "PutObject" ? 100 : 2 * PART + 100));
      await rig.completed(path);
      await audit(rig, [{ path, key: name }]);
      expect(rig.s3.faults.list().find(({ id }) => id === fault)?.acted).toBeGreaterThan(0);
    },
  );

  it("and forgets an upload while its file grows: the file starts again by itself (S28)", async () => {
    const name = "forgotten.mov.part";
    const path = writeWhole(rig, name, randomBytes(PART + 10));
    const stream = await rig.live(path, ({ next_part: next }) => next === "2");
    await rig.bucket.abort("forgotten.mov", stream["s3_upload_id"] ?? "");
    appendFileSync(path, randomBytes(PART));
    await rig.live(
      path,
      ({ next_part: next, s3_upload_id: upload }) => next === "3" && upload !== stream["s3_upload_id"],
    );
    writeFileSync(join(rig.root, "forgotten.mov.done"), "");
    expect((await rig.completed(path)).id).toBe(stream.id);
    await audit(rig, [{ path, key: "forgotten.mov", restarts: 1 }]);
  });
});

const workerState = async (rig: Rig) => await rig.records.redis.hget("worker:rig-worker", "state");

describe("trouble of the whole (P11)", { concurrent: true, timeout: 180_000 }, () => {
  it.each([
    ["is down", { kind: "drop" }],
    ["denies access to the bucket", TROUBLE.accessDenied()],
    ["says that credentials have expired", TROUBLE.expiredToken()],
    ["has lost the bucket", TROUBLE.noSuchBucket()],
    ["answers, but fails every write", TROUBLE.internalError(), ["UploadPart", "PutObject"]],
  ] satisfies [string, FaultAction, Operation[]?][])(
    "a store that %s blocks the worker, fails no stream, and is met again when it heals",
    async (_: string, action: FaultAction, operation?: Operation[]) => {
      await using rig = await startRig();
      await rig.start();
      const large = writeWhole(rig, "large.mov.part", randomBytes(PART + 10));
      await rig.live(large, ({ next_part: next }) => next === "2");
      const fault = rig.s3.faults.add({ times: -1, ...(operation && { operation }) }, action);
      appendFileSync(large, randomBytes(PART));
      const small = writeWhole(rig, "small.mov", randomBytes(10));
      await rig.until("the worker says it is blocked", async () => (await workerState(rig)) === "blocked");
      rig.s3.faults.remove(fault);
      await rig.completed(small);
      writeFileSync(join(rig.root, "large.mov.done"), "");
      await rig.completed(large);
      await rig.until("the worker says it is well", async () => (await workerState(rig)) === "ok");
      for (const { id } of await rig.records.streams()) {
        expect((await rig.records.timeline(id)).join("\n")).not.toContain("failed");
      }
      await audit(rig, [
        { path: large, key: "large.mov" },
        { path: small, key: "small.mov" },
      ]);
      await auditRig(rig);
    },
  );
});

it(
  "S41, P11: a store that swallows everything shows as blocked within seconds, long before a request is given up",
  {
    concurrent: true,
    timeout: 180_000,
  },
  async () => {
    await using rig = await startRig();
    const worker = await rig.start();
    const path = writeWhole(rig, "large.mov.part", randomBytes(PART + 10));
    await rig.live(path, ({ next_part: next }) => next === "2");
    const fault = rig.s3.faults.add({ times: -1 }, { kind: "hang" });
    const beganMs = performance.now();
    appendFileSync(path, randomBytes(PART));
    const blocked = async () => {
      const [state, detail] = await rig.records.redis.hmget("worker:rig-worker", "state", "state_detail");
      return state === "blocked" && detail?.includes("no byte of any request");
    };
    await rig.until("the worker says that the store does not answer", blocked);
    // A second for the rescan, the silence itself, a renewal; the rest is a busy machine's.
    expect(performance.now() - beganMs).toBeLessThan(LIMITS.storeQuietMs + LIMITS.leaseRenewEveryMs + 15_000);
    rig.s3.faults.remove(fault);
    writeFileSync(join(rig.root, "large.mov.done"), "");
    // The requests that were swallowed would be waited for a minute more.
    await worker.kill();
    await rig.start();
    await rig.completed(path);
    await audit(rig, [{ path, key: "large.mov" }]);
  },
);

describe("a Redis that lost everything (P4, R1)", { concurrent: true, timeout: 180_000 }, () => {
  it("costs nothing: completed files are recognised, an open upload goes on where it was", async () => {
    await using rig = await startRig();
    const worker = await rig.start();
    const done = [
      { path: writeWhole(rig, "small.mov", randomBytes(10)), key: "small.mov" },
      { path: writeWhole(rig, "large.mov", randomBytes(2 * PART + 10)), key: "large.mov" },
    ];
    for (const { path } of done) await rig.completed(path);
    const growing = writeWhole(rig, "growing.mov.part", randomBytes(2 * PART + 10));
    const before = await rig.live(growing, ({ next_part: next }) => next === "3");
    await worker.kill();
    await rig.records.redis.flushall();
    const asked = rig.requests.length;
    appendFileSync(growing, randomBytes(PART));
    await rig.start();
    for (const { path } of done)
      await rig.until(`${path} is known again`, async () => await rig.records.done(path));
    writeFileSync(join(rig.root, "growing.mov.done"), "");
    const after = await rig.completed(growing);
    expect(after["s3_upload_id"]).toBe(before["s3_upload_id"]);
    const sent = rig.requests
      .slice(asked)
      .filter(
        ({ operation, key }) =>
          operation === "UploadPart" || (operation === "PutObject" && !key?.endsWith(".json")),
      )
      .filter(({ key }) => key?.endsWith(".mov"));
    expect(sent.map(({ operation, key, partNumber }) => `${operation} ${key} ${partNumber}`)).toEqual([
      "UploadPart growing.mov 3",
      "UploadPart growing.mov 4",
    ]);
    expect(await rig.bucket.openUploads()).toEqual([]);
    await auditRig(rig);
  });
});
