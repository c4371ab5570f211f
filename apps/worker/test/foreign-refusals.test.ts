/** Refusals that are nobody's trouble but one file's: the others go on, and the stream says or ends with the reason. */
import { randomBytes } from "node:crypto";
import { TROUBLE } from "@sluice/local-s3";
import { describe, expect, it } from "vitest";
import { audit, auditRig } from "./audit.ts";
import { startRig, writeWhole } from "./rig.ts";
import { count, growAfterCompletion, LARGE } from "./rig/growing-store.ts";

const HTML = { "content-type": "text/html" };
const PAGE = "<html><body>refused</body></html>";

describe("refusals that are pages of HTML", () => {
  it("D6c: a store whose refusals are pages can be used like any other", async () => {
    await using rig = await startRig({ quirks: { htmlRefusals: true } });
    await rig.start();
    const small = writeWhole(rig, "small.bin", randomBytes(100));
    expect(await rig.completed(small)).toMatchObject({ status: "completed" });
    await growAfterCompletion(rig, "large.bin");
    await auditRig(rig);
  }, 60_000);

  it("D6c: a firewall's 403 and a proxy's 413 are the trouble of their own files; all others go on at once", async () => {
    await using rig = await startRig();
    const worker = await rig.start();
    const refuse = (key: string, operation: "PutObject" | "UploadPart", status: number) =>
      rig.s3.faults.add(
        { operation, key, times: -1 },
        { kind: "reply", reply: { status, headers: HTML, body: PAGE } },
      );
    refuse("blocked.bin", "PutObject", 403);
    const limit = refuse("large.bin", "UploadPart", 413);
    const blocked = writeWhole(rig, "blocked.bin", "blocked");
    const large = writeWhole(rig, "large.bin", randomBytes(LARGE));
    const waits = async (path: string, text: RegExp) =>
      await rig.live(path, ({ waiting_for }) => text.test(waiting_for ?? ""));
    await waits(blocked, /HTTP403/);
    await waits(large, /client_max_body_size/);
    for (let at = 0; at < 3; at += 1) {
      const before = performance.now();
      await rig.completed(writeWhole(rig, `other-${at}.bin`, randomBytes(100 + at)));
      expect(count(rig, "PutObject", `other-${at}.bin`)).toBe(1);
      expect(performance.now() - before).toBeLessThan(15_000);
    }
    expect(await rig.records.redis.hget("worker:rig-worker", "state")).toBe("ok");
    expect(worker.lines.filter(({ msg }) => /store.*trouble/i.test(msg))).toEqual([]);
    rig.s3.faults.remove(limit);
    await rig.completed(large);
    await audit(rig, [{ path: large, key: "large.bin" }]);
  }, 90_000);
});

it("D6d: a key the store refuses for its name ends name_refused, large or small, by code or by page, and others go on", async () => {
  await using rig = await startRig();
  await rig.start();
  const refusals = [
    ["code.bin", "PutObject", 100, { status: 400, code: "InvalidArgument" }],
    ["uri.bin", "CreateMultipartUpload", LARGE, { status: 400, code: "InvalidURI" }],
    ["page.bin", "PutObject", 100, { status: 400, headers: HTML, body: PAGE }],
    ["head.bin", "HeadObject", LARGE, { status: 400 }],
    ["signed.bin", "PutObject", 100, { status: 403, code: "SignatureDoesNotMatch" }],
  ] as const;
  for (const [key, operation, , reply] of refusals)
    rig.s3.faults.add({ operation, key, times: -1 }, { kind: "reply", reply });
  for (const [name, , size] of refusals) writeWhole(rig, name, randomBytes(size));
  await rig.completed(writeWhole(rig, "fine.bin", "fine"));
  await rig.until("all of them have failed for their names", async () => {
    const failed = (await rig.records.streams()).filter(({ status }) => status === "failed_name_refused");
    return failed.length === refusals.length;
  });
  await rig.completed(writeWhole(rig, "fine-2.bin", "fine too"));
  expect(await rig.records.redis.hget("worker:rig-worker", "state")).toBe("ok");
}, 90_000);

it("D6e: 304 for a condition that is not met leads to the next name, and an unusual code for a wrong checksum to another attempt", async () => {
  await using rig = await startRig({
    quirks: { notModifiedOnCondition: true, wrongChecksumIsInvalidRequest: true },
  });
  await rig.bucket.put("taken.bin", "another program's");
  await rig.start();
  const small = writeWhole(rig, "taken.bin", "ours");
  expect((await rig.completed(small))["s3_key"]).toBe("taken-2.bin");
  expect(await rig.bucket.text("taken.bin")).toBe("another program's");
  rig.s3.faults.add({ operation: "UploadPart", key: "part.bin" }, { kind: "flip", at: 3, where: "wire" });
  const large = writeWhole(rig, "part.bin", randomBytes(LARGE));
  const stream = await rig.completed(large);
  expect((await rig.records.parts(stream.id)).size).toBe(2);
  await audit(rig, [{ path: large, key: "part.bin" }]);
  await growAfterCompletion(rig, "grown.bin");
}, 60_000);

describe("a store that fails", () => {
  it("D6c: at one odd key, by S3's error, a proxy's page or no word at all, is that file's trouble alone; the others go on at once", async () => {
    await using rig = await startRig();
    const worker = await rig.start();
    const odd = [
      ["put.bin", "PutObject", 100, { status: 500, code: "InternalError" }],
      ["part.bin", "UploadPart", LARGE, { status: 502, headers: HTML, body: PAGE }],
      ["head.bin", "HeadObject", LARGE, { status: 503 }],
    ] as const;
    const faults = odd.map(([key, operation, , reply]) =>
      rig.s3.faults.add({ operation, key, times: -1 }, { kind: "reply", reply }),
    );
    const paths = odd.map(([name, , size]) => writeWhole(rig, name, randomBytes(size)));
    const acted = () =>
      rig.s3.faults
        .list()
        .filter(({ id }) => faults.includes(id))
        .map((fault) => fault.acted);
    const failedTimes = async (times: number) => {
      const least = acted().map((before) => before + times);
      await rig.until(`each of them has failed ${times} more times`, () =>
        acted().every((now, at) => now >= (least[at] ?? 0)),
      );
    };
    await failedTimes(3);
    await rig.completed(writeWhole(rig, "other.bin", "other"));
    // By now it is known that only they fail.
    for (const [at, path] of paths.entries()) {
      const text = new RegExp(String(odd[at]?.[3].status));
      await rig.live(path, ({ waiting_for }) => text.test(waiting_for ?? ""));
    }
    const problems = () => worker.lines.filter(({ msg }) => /store.*trouble/i.test(msg)).length;
    const before = problems();
    await failedTimes(1);
    await rig.completed(writeWhole(rig, "another.bin", "another"));
    await rig.until("the worker is well", async () => {
      return (await rig.records.redis.hget("worker:rig-worker", "state")) === "ok";
    });
    for (const id of faults) rig.s3.faults.remove(id);
    for (const path of paths) await rig.completed(path);
    expect(problems()).toBe(before);
    await audit(
      rig,
      odd.map(([key], at) => ({ path: paths[at] ?? "", key })),
    );
  }, 150_000);

  it("D6c: at every part of two files, while it answers all else, is in trouble as a whole, and heals", async () => {
    await using rig = await startRig();
    await rig.start();
    const fault = rig.s3.faults.add({ operation: "UploadPart", times: -1 }, TROUBLE.internalError());
    const paths = ["a.bin", "b.bin"].map((name) => writeWhole(rig, name, randomBytes(LARGE)));
    const state = (is: string) =>
      rig.until(`the worker is ${is}`, async () => {
        return (await rig.records.redis.hget("worker:rig-worker", "state")) === is;
      });
    await state("blocked");
    rig.s3.faults.remove(fault);
    for (const path of paths) expect(await rig.completed(path)).toMatchObject({ status: "completed" });
    await state("ok");
    await auditRig(rig);
  }, 90_000);
});
