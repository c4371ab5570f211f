/** Whose trouble a failed request is, whether it may have been carried out, and what heals it. */
import { createServer } from "node:net";
import { once } from "node:events";
import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { TROUBLE } from "@sluice/local-s3";
import { connectS3 } from "../src/connection.ts";
import { S3ObjectStore } from "../src/object-store.ts";
import {
  AWS_LIKE,
  CREDENTIALS,
  HEADERS,
  BUCKET,
  openUpload,
  partRequest,
  putRequest,
  ref,
  startRig,
  uploadWithPart,
} from "./rig.ts";

const PART = Buffer.from("a part");

describe("an outage", () => {
  test("K5 a refused connection did nothing, and says so", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    server.close();
    await once(server, "close");
    using connection = connectS3({
      endpoint: `http://127.0.0.1:${address.port}`,
      credentials: CREDENTIALS,
      uploadConcurrency: 1,
    });
    const store = new S3ObjectStore(connection, { profile: AWS_LIKE, prefix: "" });
    const refused = {
      trouble: "unreachable",
      code: "ECONNREFUSED",
      outcomeUnknown: false,
      status: undefined,
    };
    await expect(store.put(ref("a"), putRequest(PART))).rejects.toMatchObject(refused);
    await expect(store.createUpload(ref("a"), HEADERS)).rejects.toMatchObject(refused);
    await expect(store.head(ref("a"))).rejects.toMatchObject({ trouble: "unreachable" });
  });

  test("a question about the bucket whose upload another worker ended meanwhile is answered all the same", async () => {
    await using rig = await startRig();
    const upload = await openUpload(rig.store, "a");
    rig.faults.add({ operation: "UploadPart" }, TROUBLE.internalError());
    rig.faults.add({ operation: "AbortMultipartUpload" }, TROUBLE.noSuchUpload());
    const alone = { trouble: "failing", code: "InternalError" };
    await expect(rig.store.uploadPart(upload, 1, partRequest(PART))).rejects.toMatchObject(alone);
    expect(rig.count("AbortMultipartUpload")).toBe(1);
  });

  test("K4 a lost reply leaves a part's outcome unknown; it is not sent again by itself", async () => {
    await using rig = await startRig();
    const upload = await openUpload(rig.store, "a");
    rig.faults.add({ operation: "UploadPart" }, { kind: "loseReply" });
    const unknown = { trouble: "unreachable", outcomeUnknown: true };
    await expect(rig.store.uploadPart(upload, 1, partRequest(PART))).rejects.toMatchObject(unknown);
    expect(rig.count("UploadPart")).toBe(1);
    expect(await rig.store.listParts(upload)).toMatchObject({
      parts: [{ PartNumber: 1, Size: PART.length }],
    });
  });

  test("S14 a lost reply leaves the outcome of Complete, Create and Put unknown", async () => {
    await using rig = await startRig();
    const { upload, request } = await uploadWithPart(rig.store, "a");
    const operation = ["CompleteMultipartUpload", "CreateMultipartUpload", "PutObject"] as const;
    rig.faults.add({ operation, times: 3 }, { kind: "loseReply" });
    const unknown = { trouble: "unreachable", outcomeUnknown: true };
    await expect(rig.store.complete(upload, request)).rejects.toMatchObject(unknown);
    await expect(rig.store.createUpload(ref("b"), HEADERS)).rejects.toMatchObject(unknown);
    await expect(rig.store.put(ref("c"), putRequest(PART))).rejects.toMatchObject(unknown);
    expect(operation.map((one) => rig.count(one))).toEqual([1, 2, 1]);
  });

  test("S12 a copy whose reply is lost, or whose 200 holds an error or nothing, is of unknown outcome and not asked for again", async () => {
    await using rig = await startRig();
    const body = Buffer.alloc(5 * 1024 ** 2 + 1, "x");
    const stored = await rig.store.put(ref("source"), putRequest(body));
    if (stored.kind !== "stored") throw new Error("not stored");
    const upload = await openUpload(rig.store, "a");
    const range = { first: 1, last: body.length - 1 };
    const request = { source: ref("source"), ifMatch: stored.etag, range };
    const empty = { kind: "reply", reply: { status: 200 } } as const;
    const troubles = [
      { kind: "loseReply" } as const,
      TROUBLE.errorIn200(),
      TROUBLE.errorIn200(true),
      TROUBLE.htmlIn200(),
      empty,
    ];
    for (const [at, trouble] of troubles.entries()) {
      rig.faults.add({ operation: "UploadPartCopy" }, trouble);
      const refused = rig.store.copyPart(upload, 1, request);
      await expect(refused, trouble.kind).rejects.toMatchObject({ outcomeUnknown: true });
      expect(rig.count("UploadPartCopy")).toBe(at + 1);
    }
    expect(await rig.store.copyPart(upload, 1, request)).toMatchObject({ kind: "copied" });
  });

  test("a copy that the store refuses, for whatever reason, is an answer: the bytes are sent instead", async () => {
    await using rig = await startRig();
    const upload = await openUpload(rig.store, "a");
    const range = { first: 0, last: 5 * 1024 ** 2 - 1 };
    const request = { source: ref("source"), ifMatch: "x", range };
    for (const [status, code] of [
      [501, "NotImplemented"],
      [403, "AccessDenied"],
      [403, "InvalidObjectState"],
      [400, "InvalidRequest"],
    ] as const) {
      rig.faults.add({ operation: "UploadPartCopy" }, { kind: "reply", reply: { status, code } });
      const outcome = await rig.store.copyPart(upload, 1, request);
      expect(outcome).toMatchObject({ kind: "refused", detail: expect.stringContaining(code) as string });
    }
    rig.faults.add({ operation: "UploadPartCopy" }, TROUBLE.slowDown(1));
    await expect(rig.store.copyPart(upload, 1, request)).rejects.toMatchObject({ trouble: "throttled" });
  });

  test("a connection that breaks in the middle of a body leaves nothing behind", async () => {
    await using rig = await startRig();
    const upload = await openUpload(rig.store, "a");
    rig.faults.add({ operation: "UploadPart" }, { kind: "cutBody", afterBytes: 100_000 });
    const sent = rig.store.uploadPart(upload, 1, partRequest(Buffer.alloc(5_000_000)));
    await expect(sent).rejects.toMatchObject({ trouble: "unreachable" });
    expect(await rig.store.listParts(upload)).toEqual({ kind: "alive", parts: [] });
  });

  test("S15, D6c: an internal error leaves the outcome unknown, and is the store's when the bucket fails too", async () => {
    await using rig = await startRig();
    const { upload, request } = await uploadWithPart(rig.store, "a");
    rig.faults.add({ operation: "UploadPart" }, TROUBLE.internalError());
    const unknown = { trouble: "failing", code: "InternalError", status: 500, outcomeUnknown: true };
    await expect(rig.store.uploadPart(upload, 1, partRequest(PART))).rejects.toMatchObject(unknown);
    rig.faults.add({ times: -1 }, TROUBLE.internalError());
    const whole = { trouble: "unreachable", code: "InternalError", outcomeUnknown: true };
    const changes: Record<string, () => Promise<unknown>> = {
      UploadPart: () => rig.store.uploadPart(upload, 1, partRequest(PART)),
      CreateMultipartUpload: () => openUpload(rig.store, "b"),
      PutObject: () => rig.store.put(ref("c"), putRequest(PART)),
      CompleteMultipartUpload: () => rig.store.complete(upload, request),
    };
    for (const [name, change] of Object.entries(changes))
      await expect(change(), name).rejects.toMatchObject(whole);
    await expect(rig.store.listParts(upload)).rejects.toMatchObject({ ...whole, outcomeUnknown: false });
  });

  test("P3 an upload that asked for the right to write, and was not aborted, ends once the store answers", async () => {
    await using rig = await startRig();
    const upload = await openUpload(rig.store, "a");
    const broken = rig.faults.add(
      { operation: ["UploadPart", "AbortMultipartUpload"], times: -1 },
      TROUBLE.internalError(),
    );
    const open = async () => {
      const keys = [];
      for await (const { key } of rig.store.listUploads(BUCKET, "")) keys.push(key);
      return keys;
    };
    for (let round = 0; round < 3; round += 1)
      await expect(rig.store.uploadPart(upload, 1, partRequest(PART))).rejects.toMatchObject({
        trouble: "unreachable",
      });
    expect(await open()).toEqual([".sluice-probe/asked", "a"]);
    rig.faults.remove(broken);
    await rig.store.uploadPart(upload, 1, partRequest(PART));
    expect(await open()).toEqual(["a"]);
  });

  test("S30 SlowDown is throttling, its Retry-After is kept whole, and nothing was done", async () => {
    await using rig = await startRig();
    const upload = await openUpload(rig.store, "a");
    rig.faults.add({ operation: ["UploadPart", "ListParts"], times: 2 }, TROUBLE.slowDown(77));
    const throttled = {
      trouble: "throttled",
      code: "SlowDown",
      status: 503,
      retryAfterMs: 77_000,
      outcomeUnknown: false,
    };
    await expect(rig.store.uploadPart(upload, 1, partRequest(PART))).rejects.toMatchObject(throttled);
    await expect(rig.store.listParts(upload)).rejects.toMatchObject(throttled);
  });

  test("S31 RequestTimeout is tried again, and nothing was done", async () => {
    await using rig = await startRig();
    const reply = { status: 400, code: "RequestTimeout" };
    rig.faults.add({ operation: "PutObject" }, { kind: "reply", reply });
    const timeout = { trouble: "unreachable", outcomeUnknown: false };
    await expect(rig.store.put(ref("a"), putRequest(PART))).rejects.toMatchObject(timeout);
  });

  test("S41 a part in a black hole ends at once when its stream stops", async () => {
    await using rig = await startRig();
    const upload = await openUpload(rig.store, "a");
    rig.faults.add({ operation: "UploadPart" }, { kind: "hang" });
    const stop = new AbortController();
    const sent = rig.store.uploadPart(upload, 1, {
      ...partRequest(Buffer.alloc(8_000_000)),
      signal: stop.signal,
    });
    setTimeout(() => stop.abort(new Error("the stream stops")), 50);
    await expect(sent).rejects.toThrow("the stream stops");
  });

  test("a body damaged on the way is garbled, whichever proof goes with it", async () => {
    for (const profile of [{}, { checksum: "md5" as const }]) {
      await using rig = await startRig({ profile });
      const upload = await openUpload(rig.store, "a");
      rig.faults.add(
        { operation: ["UploadPart", "PutObject"], times: 2 },
        { kind: "flip", at: 3, where: "wire" },
      );
      const garbled = { trouble: "garbled", outcomeUnknown: false };
      await expect(rig.store.uploadPart(upload, 1, partRequest(PART))).rejects.toMatchObject(garbled);
      await expect(rig.store.put(ref("b"), putRequest(PART))).rejects.toMatchObject(garbled);
    }
  });
});

describe("credentials", () => {
  test("S33 credentials that expired are renewed once and the request is made again", async () => {
    let asked = 0;
    const old = { accessKeyId: "AKIDOLD", secretAccessKey: "old" };
    const credentials = () => Promise.resolve((asked += 1) === 1 ? old : CREDENTIALS);
    await using rig = await startRig({ settings: { credentials } });
    expect(await rig.store.put(ref("a"), putRequest(PART))).toMatchObject({ kind: "stored" });
    expect(asked).toBe(2);
  });

  test("S33 a HeadObject, whose refusals say nothing, is understood and made again too", async () => {
    let asked = 0;
    const old = { accessKeyId: "AKIDOLD", secretAccessKey: "old" };
    const credentials = () => Promise.resolve((asked += 1) === 1 ? old : CREDENTIALS);
    await using rig = await startRig({ settings: { credentials } });
    expect(await rig.store.head(ref("a"))).toEqual({ kind: "missing" });
  });

  test("S33 credentials that stay expired are the worker's trouble, for HeadObject as well", async () => {
    await using rig = await startRig();
    rig.faults.add({ times: -1 }, TROUBLE.expiredToken());
    const expired = { trouble: "credentials", code: "ExpiredToken" };
    await expect(rig.store.put(ref("a"), putRequest(PART))).rejects.toMatchObject(expired);
    await expect(rig.store.createUpload(ref("a"), HEADERS)).rejects.toMatchObject(expired);
    await expect(rig.store.head(ref("a"))).rejects.toMatchObject(expired);
  });

  test("S34 a wrong secret is the worker's trouble", async () => {
    const credentials = { ...CREDENTIALS, secretAccessKey: "another" };
    await using rig = await startRig({ settings: { credentials } });
    const refused = { trouble: "credentials", code: "SignatureDoesNotMatch" };
    await expect(rig.store.put(ref("a"), putRequest(PART))).rejects.toMatchObject(refused);
    await expect(rig.store.head(ref("a"))).rejects.toMatchObject(refused);
  });

  test("credentials that cannot be had are the worker's trouble", async () => {
    const credentials = () => Promise.reject(new Error("the metadata service is away"));
    await using rig = await startRig({ settings: { credentials } });
    await expect(rig.store.put(ref("a"), putRequest(PART))).rejects.toMatchObject({ trouble: "credentials" });
    await expect(rig.store.head(ref("a"))).rejects.toThrow("the metadata service is away");
  });

  test("a region nobody names is the worker's trouble, with the setting that heals it", async () => {
    const region = () => Promise.reject(new Error("Region is missing"));
    using connection = connectS3({ credentials: CREDENTIALS, uploadConcurrency: 1 });
    connection.config.region = region;
    const store = new S3ObjectStore(connection, { profile: AWS_LIKE, prefix: "" });
    const missing = { trouble: "bucket", message: expect.stringContaining("SLUICE_S3_REGION") };
    await expect(store.head(ref("a"))).rejects.toMatchObject(missing);
  });

  test("K8 X13 no error holds a secret or an access key", async () => {
    await using rig = await startRig({
      settings: { credentials: { ...CREDENTIALS, secretAccessKey: "guess-me" } },
    });
    const errors = await Promise.allSettled([
      rig.store.put(ref("a"), putRequest(PART)),
      rig.store.head(ref("a")),
      rig.store.createUpload(ref("a"), HEADERS),
    ]);
    const all = inspect(errors, { depth: 20, showHidden: true });
    expect(all).toContain("SignatureDoesNotMatch");
    expect(all).not.toMatch(/guess-me|AKIDRIG|Signature=/);
  });

  test("S32 a wrong clock is corrected by the store's, and the next request goes through", async () => {
    for (const hours of [3, -3]) {
      const now = (): number => Date.now() + hours * 3_600_000;
      await using rig = await startRig({ server: { now } });
      const skewed = { trouble: "unreachable", code: "RequestTimeTooSkewed", outcomeUnknown: false };
      await expect(rig.store.put(ref("a"), putRequest(PART))).rejects.toMatchObject(skewed);
      expect(await rig.store.put(ref("a"), putRequest(PART))).toMatchObject({ kind: "stored" });
      expect(Math.abs(rig.store.clockSkewMs - hours * 3_600_000)).toBeLessThan(60_000);
    }
  });

  test("S32 a HeadObject refused for a wrong clock is not taken for a missing or a denied key", async () => {
    await using rig = await startRig({
      server: { now: () => Date.now() + 3_600_000 },
      profile: { headMissingIs404: false },
    });
    await expect(rig.store.head(ref("a"))).rejects.toMatchObject({ code: "RequestTimeTooSkewed" });
    expect(await rig.store.head(ref("a"))).toEqual({ kind: "missing" });
  });
});

describe("the bucket and the key", () => {
  test("S35 a missing bucket is the worker's trouble", async () => {
    await using rig = await startRig();
    const nowhere = { bucket: "nowhere", key: "a" };
    const missing = { trouble: "bucket", code: "NoSuchBucket" };
    await expect(rig.store.put(nowhere, putRequest(PART))).rejects.toMatchObject(missing);
    await expect(rig.store.createUpload(nowhere, HEADERS)).rejects.toMatchObject(missing);
    await expect(rig.store.listParts({ ...nowhere, uploadId: "x" })).rejects.toMatchObject(missing);
  });

  test("S35 a bucket elsewhere is the worker's trouble, and the region is named", async () => {
    await using rig = await startRig({ server: { region: "eu-central-1" } });
    const elsewhere = { trouble: "bucket", message: expect.stringContaining("eu-central-1") };
    await expect(rig.store.put(ref("a"), putRequest(PART))).rejects.toMatchObject(elsewhere);
    await expect(rig.store.createUpload(ref("a"), HEADERS)).rejects.toMatchObject(elsewhere);
  });

  test("S35 X10 a redirect is not followed; the region it names is", async () => {
    await using rig = await startRig();
    const reply = {
      status: 301,
      code: "PermanentRedirect",
      headers: { "x-amz-bucket-region": "ap-south-1" },
    };
    rig.faults.add({ times: -1 }, { kind: "reply", reply });
    const elsewhere = { trouble: "bucket", message: expect.stringContaining("ap-south-1") };
    await expect(rig.store.put(ref("a"), putRequest(PART))).rejects.toMatchObject(elsewhere);
    await expect(rig.store.head(ref("a"))).rejects.toMatchObject(elsewhere);
  });

  test("S34 one key denied, while the bucket answers, is this key's trouble", async () => {
    await using rig = await startRig();
    rig.faults.add({ key: "secret/a", times: -1 }, TROUBLE.accessDenied());
    const denied = { trouble: "denied", status: 403 };
    await expect(rig.store.put(ref("secret/a"), putRequest(PART))).rejects.toMatchObject(denied);
    await expect(rig.store.createUpload(ref("secret/a"), HEADERS)).rejects.toMatchObject(denied);
    await expect(rig.store.head(ref("secret/a"))).rejects.toMatchObject(denied);
    expect(await rig.store.put(ref("open/a"), putRequest(PART))).toMatchObject({ kind: "stored" });
    expect(await Array.fromAsync(rig.store.listUploads("recordings", ""))).toEqual([]);
  });

  test("S34 everything denied is the worker's trouble", async () => {
    await using rig = await startRig();
    rig.faults.add({ times: -1 }, TROUBLE.accessDenied());
    const denied = { trouble: "bucket", message: expect.stringContaining("whole bucket") };
    await expect(rig.store.put(ref("a"), putRequest(PART))).rejects.toMatchObject(denied);
    await expect(rig.store.head(ref("a"))).rejects.toMatchObject(denied);
    await expect(rig.store.listParts({ ...ref("a"), uploadId: "x" })).rejects.toMatchObject(denied);
  });

  test("a policy that takes away all writing is the worker's trouble though reading goes on", async () => {
    await using rig = await startRig();
    const operation = [
      "PutObject",
      "UploadPart",
      "CreateMultipartUpload",
      "CompleteMultipartUpload",
    ] as const;
    rig.faults.add({ operation, times: -1 }, TROUBLE.accessDenied());
    const denied = { trouble: "bucket", message: expect.stringContaining("writing to the whole bucket") };
    await expect(rig.store.put(ref("a"), putRequest(PART))).rejects.toMatchObject(denied);
    expect(await rig.store.head(ref("a"))).toEqual({ kind: "missing" });
  });

  test("a policy that takes away all reading is the worker's trouble", async () => {
    await using rig = await startRig();
    rig.faults.add({ operation: "HeadObject", times: -1 }, TROUBLE.accessDenied());
    const denied = { trouble: "bucket", message: expect.stringContaining("reading from the whole bucket") };
    await expect(rig.store.head(ref("a"))).rejects.toMatchObject(denied);
  });

  test("many refusals at once ask the bucket together", async () => {
    await using rig = await startRig();
    rig.faults.add({ keyPrefix: "secret/", times: -1 }, TROUBLE.accessDenied());
    const keys = Array.from({ length: 10 }, (_, n) => `secret/${n}`);
    const outcomes = await Promise.allSettled(keys.map((key) => rig.store.put(ref(key), putRequest(PART))));
    expect(outcomes.map((one) => one.status === "rejected" && one.reason.trouble)).toEqual(
      keys.map(() => "denied"),
    );
    expect(rig.count("ListObjectsV2")).toBeLessThan(5);
  });

  test("S18 a HeadObject refused for a reason that has passed is asked again before it means anything", async () => {
    await using rig = await startRig({ profile: { headMissingIs404: false } });
    rig.faults.add({ operation: "HeadObject" }, TROUBLE.accessDenied());
    expect(await rig.store.head(ref("a"))).toEqual({ kind: "missing" });
  });

  test("S18 where a missing key is answered with 403, HeadObject cannot tell", async () => {
    await using rig = await startRig({
      quirks: { head403OnMissing: true },
      profile: { headMissingIs404: false },
    });
    expect(await rig.store.head(ref("a"))).toEqual({ kind: "unknown" });
  });
});
