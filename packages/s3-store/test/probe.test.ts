/** The probe finds out what a store can do and may do there, says it in plain words, and leaves nothing behind. */
import { createHash } from "node:crypto";
import {
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  ListMultipartUploadsCommand,
  PutObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutBucketLifecycleConfigurationCommand,
} from "@aws-sdk/client-s3";
import { describe, expect, test, vi } from "vitest";
import { type Operation, type Quirk, TROUBLE } from "@sluice/local-s3";
import { confirmAnswers, type ProbeOptions, probeStore, QUESTIONS, type StoreAnswers } from "../src/probe.ts";
import { connectS3 } from "../src/connection.ts";
import { S3ObjectStore } from "../src/object-store.ts";
import type { S3Profile } from "../src/profiles.ts";
import { AWS_LIKE, BUCKET, CREDENTIALS, type Rig, partRequest, startRig, uploadWithPart } from "./rig.ts";

const probe = (rig: Rig, options: Partial<ProbeOptions> = {}) =>
  probeStore(rig.connection, { bucket: BUCKET, prefix: "rec/", createBucket: false, ...options });

/** What the names of this prober's directories begin with. */
const ownDirectory = (prober: string): string =>
  createHash("sha256").update(prober).digest("hex").slice(0, 16);

async function keysIn(rig: Rig): Promise<string[]> {
  const { Contents } = await rig.connection.send(new ListObjectsV2Command({ Bucket: BUCKET }));
  return (Contents ?? []).map((object) => object.Key ?? "");
}

describe("what the store can do", () => {
  const differences: [quirk: Quirk | undefined, differs: Partial<S3Profile>, questions: string[]][] = [
    [undefined, {}, []],
    [
      "nonIdempotentComplete",
      { repeatComplete: false },
      ["Does a repeated Complete return the same result?"],
    ],
    [
      "ignoreConditionalComplete",
      { conditionalComplete: false, ifMatchOnComplete: "ignored" },
      ["Does Complete support If-None-Match?", "Does Complete support If-Match?"],
    ],
    ["refuseIfMatchOnComplete", { ifMatchOnComplete: "refused_always" }, ["Does Complete support If-Match?"]],
    ["ignoreIfMatchOnComplete", { ifMatchOnComplete: "ignored" }, ["Does Complete support If-Match?"]],
    [
      "listEndedUploads",
      { listPartsEndsWithComplete: false, listPartsEndsWithAbort: false },
      ["Does ListParts end with Complete?", "Does ListParts end with an abort?"],
    ],
    [
      "listEndedUploadsEmpty",
      { listPartsEndsWithComplete: false, listPartsEndsWithAbort: false },
      ["Does ListParts end with Complete?", "Does ListParts end with an abort?"],
    ],
    ["notModifiedOnCondition", {}, []],
    ["htmlRefusals", {}, []],
    [
      "wrongChecksumIsInvalidRequest",
      { wrongChecksumCodes: ["InvalidRequest"] },
      ["Is a body's CRC32 checked?", "Is a body's MD5 checked?"],
    ],
    ["ignoreConditionalPut", { conditionalPut: false }, ["Does PutObject support conditions?"]],
    ["ignoreObjectSize", { objectSizeInComplete: false }, ["Is the size in Complete checked?"]],
    [
      "noChecksums",
      { checksum: "md5", checksumsInComplete: false },
      ["Is a body's CRC32 checked?", "May Complete list the parts' checksums?"],
    ],
    ["noTrailers", {}, []],
    ["refuseUnsignedPayload", { unsignedPayload: false }, ["May a body go unsigned?"]],
    ["noPartChecksumInListParts", {}, []],
    ["etagNotMd5", { etagIsMd5: false }, ["Is an object's ETag its MD5?", "Is a part's ETag its MD5?"]],
    ["emptyCompleteEtag", {}, []],
    ["listUploadsExactKeyOnly", { listsUploadsByPrefix: false }, ["Are open uploads found by prefix?"]],
    ["head403OnMissing", { headMissingIs404: false }, ["How is a missing key answered?"]],
    ["refuseUnlistedParts", {}, []],
    ["noSuchKeyForUpload", {}, []],
    ["demandPartChecksums", {}, []],
    ["equalParts", { unequalParts: false }, ["May parts differ in size?"]],
    ["noCopy", { copiesRanges: false }, ["Are ranges copied inside the store?"]],
    ["ignoreCopyConditions", { copiesRanges: false }, ["Are ranges copied inside the store?"]],
    ["noPartChecksumInCopy", {}, []],
  ];
  for (const [quirk, differs, questions] of differences) {
    test(`is found out ${quirk === undefined ? "where it can everything" : `with ${quirk}`}, and nothing is left`, async () => {
      await using rig = await startRig({ quirks: quirk === undefined ? {} : { [quirk]: true } });
      const { profile, rights, refusals } = await probe(rig);
      expect(profile).toEqual({ ...AWS_LIKE, ...differs });
      const asked = QUESTIONS.filter(({ name }) => questions.includes(name));
      expect(asked.flatMap(({ decides }) => decides)).toEqual(expect.arrayContaining(Object.keys(differs)));
      expect(rights.filter((right) => !right.ok)).toEqual([]);
      expect(refusals).toEqual([]);
      expect(await keysIn(rig)).toEqual([]);
      expect(await Array.fromAsync(rig.store.listUploads(BUCKET, ""))).toEqual([]);
      expect(JSON.parse(JSON.stringify(profile))).toEqual(profile);
    });
  }

  test("a store that makes an empty part of a copy, or copies more than the range, is not asked to copy", async () => {
    await using rig = await startRig();
    const reply = (body: string) => ({ kind: "reply", reply: { status: 200, body } }) as const;
    const body = `<CopyPartResult><ETag>"d41d8cd98f00b204e9800998ecf8427e"</ETag></CopyPartResult>`;
    for (const answer of [reply(body), reply(""), TROUBLE.htmlIn200(), TROUBLE.errorIn200()]) {
      rig.faults.clear();
      rig.faults.add({ operation: "UploadPartCopy", nth: 2 }, answer);
      expect((await probe(rig)).profile).toEqual({ ...AWS_LIKE, copiesRanges: false });
      expect(rig.faults.list()).toMatchObject([{ acted: 1 }]);
    }
  });

  test("a store known by name to copy nothing is not asked", async () => {
    await using rig = await startRig();
    const { profile, notes } = await probe(rig, { store: "gcs" });
    expect(profile.copiesRanges).toBe(false);
    expect(rig.count("UploadPartCopy")).toBe(0);
    expect(notes.join("\n")).toContain("cannot copy ranges");
  });

  test("and each question is tried with a store that answers it otherwise", () => {
    const below = [
      "Which store is it?",
      "Does a rule abort uploads?",
      "Is the CRC32 of a whole object checked?",
    ];
    const tried = new Set([...below, ...differences.flatMap(([_quirk, _differs, questions]) => questions)]);
    const decisive = QUESTIONS.filter(({ decides }) => decides.length > 0).map(({ name }) => name);
    expect(decisive.toSorted()).toEqual([...tried].toSorted());
  });

  test("a store that takes a wrong CRC32 of a whole object is sent those of the parts", async () => {
    await using rig = await startRig();
    const body = `<CompleteMultipartUploadResult><ETag>"taken"</ETag></CompleteMultipartUploadResult>`;
    // The first six of the mode ask other things.
    rig.faults.add(
      { operation: "CompleteMultipartUpload", nth: 7 },
      { kind: "reply", reply: { status: 200, body } },
    );
    expect((await probe(rig)).profile).toEqual({ ...AWS_LIKE, checksum: "per-part" });
    expect(rig.faults.list()).toMatchObject([{ acted: 1 }]);
  });

  test("and what it lacks is said in plain words", async () => {
    await using rig = await startRig({ quirks: { noChecksums: true, ignoreConditionalPut: true } });
    const notes = (await probe(rig)).notes.join("\n");
    expect(notes).toContain("does not verify CRC32");
    expect(notes).toContain("PutObject does not support conditions");
  });

  test("a store that drops user metadata is refused: its objects could not be told apart", async () => {
    await using rig = await startRig({ quirks: { noMetadata: true } });
    expect((await probe(rig)).refusals).toEqual([expect.stringContaining("x-amz-meta")]);
  });

  test("a store that takes a CRC32 and does not look at it is sent MD5s", async () => {
    await using rig = await startRig();
    const taken = { kind: "reply", reply: { status: 200, headers: { etag: '"taken"' } } } as const;
    // The third Put is the first whose CRC32 is wrong.
    rig.faults.add({ operation: "PutObject", nth: 3 }, taken);
    expect((await probe(rig)).profile).toMatchObject({ checksum: "md5" });
    expect(rig.faults.list()).toMatchObject([{ acted: 1 }]);
  });

  test("K3 a store that looks at nothing is sent nothing, and that is said", async () => {
    await using rig = await startRig({ quirks: { etagNotMd5: true } });
    const taken = { kind: "reply", reply: { status: 200, headers: { etag: '"taken"' } } } as const;
    rig.faults.add({ operation: "PutObject", nth: 3, times: 2 }, taken);
    const { profile, notes } = await probe(rig);
    expect(profile.checksum).toBe("off");
    expect(notes.join("\n")).toContain("does not verify request bodies");
  });

  test("S21 a checksum mode that was asked for is the only one tried", async () => {
    await using rig = await startRig();
    expect((await probe(rig, { checksum: "per-part" })).profile.checksum).toBe("per-part");
    expect((await probe(rig, { checksum: "off" })).profile.checksum).toBe("off");
    await using poor = await startRig({ quirks: { noChecksums: true } });
    expect((await probe(poor, { checksum: "full-object" })).refusals).toEqual([
      expect.stringContaining("SLUICE_S3_CHECKSUM=full-object"),
    ]);
  });

  test("S36 its answers carry a real upload of unequal parts", async () => {
    await using rig = await startRig({ quirks: { noChecksums: true, nonIdempotentComplete: true } });
    const { profile } = await probe(rig);
    const store = new S3ObjectStore(rig.connection, { profile, prefix: "rec/" });
    const { upload, request } = await uploadWithPart(store, "rec/a");
    expect(await store.uploadPart(upload, 1, partRequest(Buffer.from("a part")))).toMatchObject({
      kind: "stored",
    });
    expect((await store.complete(upload, request)).kind).toBe("completed");
  });
});

describe("what the worker may do", () => {
  const denied: [right: string, operation: Operation | readonly Operation[]][] = [
    ["PutObject", ["PutObject", "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"]],
    ["GetObject", "GetObject"],
    ["AbortMultipartUpload", "AbortMultipartUpload"],
    ["ListMultipartUploadParts", "ListParts"],
    ["ListBucketMultipartUploads", "ListMultipartUploads"],
    ["ListBucket", "ListObjectsV2"],
  ];
  for (const [right, operation] of denied) {
    test(`X14 a missing ${right} is refused by its name, and it alone`, async () => {
      await using rig = await startRig();
      rig.faults.add({ operation, times: -1 }, TROUBLE.accessDenied());
      const { rights, refusals } = await probe(rig);
      expect(rights.filter((one) => !one.ok).map((one) => one.right)).toEqual([right]);
      expect(refusals).toEqual([expect.stringContaining(`allow s3:${right} on`)]);
    });
  }

  test("every missing right is named at once", async () => {
    await using rig = await startRig();
    const operation = ["PutObject", "ListParts", "AbortMultipartUpload", "CreateMultipartUpload"] as const;
    rig.faults.add({ operation, times: -1 }, TROUBLE.accessDenied());
    expect((await probe(rig)).refusals).toHaveLength(3);
  });

  test("X14 without DeleteObject the work goes on, and however often it is asked, the same few empty objects remain", async () => {
    await using rig = await startRig();
    rig.faults.add({ operation: "DeleteObject", times: -1 }, TROUBLE.accessDenied());
    const first = await probe(rig);
    expect(first.refusals).toEqual([]);
    expect(first.profile).toEqual(AWS_LIKE);
    const left = await keysIn(rig);
    expect(left.every((key) => key.startsWith("rec/.sluice-probe/kept/"))).toBe(true);
    expect(left.length).toBeLessThanOrEqual(3);
    expect((await probe(rig)).profile).toEqual(AWS_LIKE);
    expect(await keysIn(rig)).toEqual(left);
    for (const key of left)
      expect(await rig.store.head({ bucket: BUCKET, key })).toMatchObject({ object: { size: 0 } });
  });
});

describe("the bucket", () => {
  test("that is missing is trouble, not an answer", async () => {
    await using rig = await startRig();
    await expect(probe(rig, { bucket: "nowhere" })).rejects.toMatchObject({
      trouble: "bucket",
      code: "NoSuchBucket",
    });
  });

  test("that is missing is made where that is wanted", async () => {
    await using rig = await startRig();
    const onBucketCreated = vi.fn<() => void>();
    const options = { bucket: "made-here", createBucket: true, onBucketCreated };
    expect((await probe(rig, options)).refusals).toEqual([]);
    expect((await probe(rig, options)).refusals).toEqual([]);
    expect(onBucketCreated).toHaveBeenCalledTimes(1);
  });

  test("behind refused credentials is trouble, not an answer", async () => {
    await using rig = await startRig();
    using connection = connectS3({
      endpoint: rig.url,
      credentials: { ...CREDENTIALS, secretAccessKey: "wrong" },
      uploadConcurrency: 1,
    });
    const asked = probeStore(connection, { bucket: BUCKET, prefix: "", createBucket: false });
    await expect(asked).rejects.toMatchObject({ trouble: "credentials" });
  });

  test("S28 whose lifecycle rule aborts uploads limits how long a file may grow, and that is said", async () => {
    await using rig = await startRig();
    const rule = (ID: string, Prefix: string, DaysAfterInitiation: number) => ({
      ID,
      Status: "Enabled" as const,
      Filter: { Prefix },
      AbortIncompleteMultipartUpload: { DaysAfterInitiation },
    });
    const Rules = [rule("ours", "", 30), rule("short", "rec/cam/", 3), rule("elsewhere", "other/", 1)];
    const input = { Bucket: BUCKET, LifecycleConfiguration: { Rules } };
    await rig.connection.send(new PutBucketLifecycleConfigurationCommand(input));
    const { profile, notes } = await probe(rig);
    expect(profile.uploadAgeDays).toBe(3);
    expect(notes.join("\n")).toContain("aborted 3 days after");
  });

  test("a store named in the settings brings its limits, and a limit named there goes before all others", async () => {
    await using rig = await startRig();
    expect((await probe(rig, { store: "minio" })).profile).toMatchObject({
      store: "minio",
      uploadAgeDays: 1,
    });
    const raised = await probe(rig, { store: "minio", uploadAgeMs: 36 * 3_600_000 });
    expect(raised.profile.uploadAgeDays).toBe(1.5);
    expect(raised.notes.join("\n")).toContain("aborted 1.5 days after");
  });

  test("without such a rule the cost of a worker that never returns is said", async () => {
    await using rig = await startRig();
    const known = await probe(rig, { store: "ceph" });
    expect(known.notes.join("\n")).toContain("No lifecycle rule");
    // A store that is not known may have a limit of its own.
    const unknown = await probe(rig);
    expect(unknown.notes.join("\n")).not.toContain("No lifecycle rule");
    expect(unknown.notes.join("\n")).toContain("Whether uploads are aborted after some time is unknown");
  });

  test("D6g: MinIO names itself, by its server or by its headers, and brings its limit", async () => {
    for (const named of [{ server: "MinIO" }, { server: "nginx", "x-minio-deployment-id": "1" }]) {
      await using rig = await startRig({ server: { named } });
      const { profile, notes } = await probe(rig);
      expect(profile).toMatchObject({ store: "minio", uploadAgeDays: 1 });
      expect(notes.join("\n")).toContain("24 hours");
      expect(notes.join("\n")).not.toContain("lifecycle rule");
    }
  });
});

/** Versions and delete markers under the probe's prefix. */
async function versionsIn(rig: Rig): Promise<number> {
  const input = { Bucket: BUCKET, Prefix: "rec/" };
  const { Versions = [], DeleteMarkers = [] } = await rig.connection.send(
    new ListObjectVersionsCommand(input),
  );
  return Versions.length + DeleteMarkers.length;
}

test("D6h, S38: in a bucket that keeps versions nothing stays, neither a version nor a delete marker", async () => {
  await using rig = await startRig({ quirks: { versioned: true } });
  // What earlier releases left at each start.
  const left = { Bucket: BUCKET, Key: `rec/.sluice-probe/${ownDirectory("me")}-0/object` };
  await rig.connection.send(new DeleteObjectCommand(left));
  const answers = await probe(rig, { prober: "me" });
  expect(answers.refusals).toEqual([]);
  expect(await versionsIn(rig)).toBe(0);
  const options = { bucket: BUCKET, prefix: "rec/", createBucket: false, prober: "me" };
  expect(await confirmAnswers(rig.connection, options, answers)).toEqual({ refusals: [], holds: true });
  expect(await versionsIn(rig)).toBe(0);
});

test("D6h: versions that may not be deleted do not pile up from start to start, and that some stay is said", async () => {
  await using rig = await startRig({ quirks: { versioned: true } });
  rig.faults.add({ operation: "DeleteObject", times: -1 }, TROUBLE.accessDenied());
  const answers = await probe(rig);
  expect(answers.leavesVersions).toBe(true);
  expect(answers.notes.join("\n")).toContain("DeleteObjectVersion");
  const after = await versionsIn(rig);
  const options = { bucket: BUCKET, prefix: "rec/", createBucket: false };
  for (let start = 1; start <= 3; start += 1) {
    expect(await confirmAnswers(rig.connection, options, answers)).toEqual({ refusals: [], holds: true });
  }
  expect(await versionsIn(rig)).toBe(after);
});

describe("D6f: kept answers hold", () => {
  const options = { bucket: BUCKET, prefix: "rec/", createBucket: false };
  const asked = async (rig: Rig, kept: StoreAnswers) =>
    (await confirmAnswers(rig.connection, options, JSON.parse(JSON.stringify(kept)))).holds;

  test("while the same server answers, and not for one that names itself otherwise or ignores conditions", async () => {
    await using rig = await startRig();
    const kept = await probe(rig);
    expect(await asked(rig, kept)).toBe(true);
    await using named = await startRig({ server: { named: { server: "another" } } });
    expect(await asked(named, kept)).toBe(false);
    await using careless = await startRig({ quirks: { ignoreConditionalPut: true } });
    expect(await asked(careless, kept)).toBe(false);
    expect(await keysIn(rig)).toEqual([]);
  });
});

test("P3: what a worker left behind when it was killed while its kept answers were confirmed goes at its next start", async () => {
  for (const quirks of [{}, { versioned: true }, { listUploadsExactKeyOnly: true }]) {
    await using rig = await startRig({ quirks });
    const options = { bucket: BUCKET, prefix: "rec/", createBucket: false, prober: "me" };
    const answers = await probe(rig, options);
    const put = async (directory: string) =>
      await rig.connection.send(
        new PutObjectCommand({ Bucket: BUCKET, Key: `rec/.sluice-probe/${directory}/object`, Body: "x" }),
      );
    await put(`${ownDirectory("me")}-0`);
    await put(`${ownDirectory("another")}-0`);
    const asked = { Bucket: BUCKET, Key: "rec/.sluice-probe/asked" };
    await rig.connection.send(new CreateMultipartUploadCommand(asked));
    expect(await confirmAnswers(rig.connection, options, answers)).toEqual({ refusals: [], holds: true });
    expect(await keysIn(rig)).toEqual([`rec/.sluice-probe/${ownDirectory("another")}-0/object`]);
    const open = await rig.connection.send(new ListMultipartUploadsCommand({ Bucket: BUCKET }));
    expect(open.Uploads ?? []).toEqual([]);
  }
});

test("leftovers of a probe that was killed are removed by a later one; younger ones and other objects stay", async () => {
  const twoHours = 2 * 3_600_000;
  let nowMs = Date.now() - twoHours;
  await using rig = await startRig({ server: { now: () => nowMs } });
  const put = async (key: string) => {
    const { body, crc } = partRequest(Buffer.from("x"));
    const headers = { contentType: "text/plain", metadata: {} };
    return await rig.store.put(
      { bucket: BUCKET, key },
      { ...headers, body: body.bytes, crc, condition: undefined },
    );
  };
  const agreeOnTime = async () =>
    await expect(put("any")).rejects.toMatchObject({ code: "RequestTimeTooSkewed" });
  await agreeOnTime();
  await put("rec/.sluice-probe/dead/object");
  await put("rec/a.mp4");
  nowMs += twoHours;
  await agreeOnTime();
  await put("rec/.sluice-probe/alive/object");
  await probe(rig);
  expect(await keysIn(rig)).toEqual(["rec/.sluice-probe/alive/object", "rec/a.mp4"]);
});
