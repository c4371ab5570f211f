/** The policy in deploy/aws grants what the worker asks of S3, where it asks, and nothing else. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { AccessEntry, Operation } from "@sluice/local-s3";
import { probeStore } from "../src/probe.ts";
import { BUCKET, openUpload, partRequest, putRequest, ref, startRig, uploadWithPart } from "./rig.ts";

const PREFIX = "rec/";
const PART = Buffer.from("a part");

/** https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html */
const ACTION_OF: Partial<Record<Operation, string>> = {
  ListObjectsV2: "s3:ListBucket",
  ListMultipartUploads: "s3:ListBucketMultipartUploads",
  GetBucketLifecycleConfiguration: "s3:GetLifecycleConfiguration",
  PutObject: "s3:PutObject",
  CreateMultipartUpload: "s3:PutObject",
  UploadPart: "s3:PutObject",
  // And s3:GetObject on what it copies from.
  UploadPartCopy: "s3:PutObject",
  CompleteMultipartUpload: "s3:PutObject",
  GetObject: "s3:GetObject",
  HeadObject: "s3:GetObject",
  ListParts: "s3:ListMultipartUploadParts",
  AbortMultipartUpload: "s3:AbortMultipartUpload",
  DeleteObject: "s3:DeleteObject",
};

interface Statement {
  Effect: string;
  Action: string | string[];
  Resource: string;
}

function statements(file: string): Statement[] {
  const path = join(import.meta.dirname, "../../../deploy/aws", file);
  const text = readFileSync(path, "utf8").replaceAll("BUCKET", BUCKET).replaceAll("PREFIX", PREFIX);
  return (JSON.parse(text) as { Statement: Statement[] }).Statement;
}

/** Action and resource, as a statement names them. */
function grants(): [action: string, resource: RegExp][] {
  return statements("worker-policy.json").flatMap(({ Action, Resource }) => {
    const pattern = Resource.replace("arn:aws:s3:::", "").split("*").map(RegExp.escape).join(".*");
    return [Action].flat().map((action): [string, RegExp] => [action, new RegExp(`^${pattern}$`)]);
  });
}

/** Everything the worker ever asks: the probe, then each request of its work. */
async function everyRequest(): Promise<AccessEntry[]> {
  await using rig = await startRig();
  const { store } = rig;
  const options = { bucket: BUCKET, prefix: PREFIX, createBucket: false };
  expect((await probeStore(rig.connection, options)).refusals).toEqual([]);
  const { upload, request } = await uploadWithPart(store, `${PREFIX}a`);
  await store.uploadPart(upload, 1, partRequest(PART));
  await store.listParts(upload);
  await store.complete(upload, request);
  await store.put(ref(`${PREFIX}b`), putRequest(PART));
  await store.head(ref(`${PREFIX}b`));
  await Array.fromAsync(store.read(ref(`${PREFIX}b`)));
  await store.abort(await openUpload(store, `${PREFIX}c`));
  await Array.fromAsync(store.listUploads(BUCKET, PREFIX));
  return rig.log;
}

test("every request of the worker is granted by the policy, and each of its grants is needed", async () => {
  const used = new Set<string>();
  const refused = (await everyRequest()).filter(({ operation, bucket, key }) => {
    const action = operation === null ? undefined : ACTION_OF[operation];
    const resource = key === null ? bucket : `${bucket}/${key}`;
    const granted = grants().some(([name, where]) => name === action && where.test(resource ?? ""));
    if (granted) used.add(action ?? "");
    return !granted;
  });
  expect(refused.map(({ operation, key }) => `${operation} ${key ?? ""}`)).toEqual([]);
  // Of a bucket that keeps versions only.
  used.add("s3:DeleteObjectVersion");
  expect([...used].toSorted()).toEqual([...new Set(grants().map(([action]) => action))].toSorted());
});

test("nothing is deleted, by policy, but what the start probe wrote", () => {
  const deleting = statements("worker-policy.json").filter(({ Action }) => String(Action).includes("Delete"));
  expect(deleting.map(({ Resource }) => Resource)).toEqual([
    `arn:aws:s3:::${BUCKET}/${PREFIX}.sluice-probe/*`,
  ]);
});

test("S36: a KMS key of one's own is granted for data keys and for decrypting, as parts need both", () => {
  const kms = statements("tagging-and-kms.json").filter(({ Action }) => String(Action).includes("kms:"));
  expect(kms.flatMap(({ Action }) => Action).toSorted()).toEqual(["kms:Decrypt", "kms:GenerateDataKey"]);
});

test("no statement denies, and none grants everything", () => {
  const all = [...statements("worker-policy.json"), ...statements("tagging-and-kms.json")];
  expect(new Set(all.map(({ Effect }) => Effect))).toEqual(new Set(["Allow"]));
  expect(all.flatMap(({ Action }) => Action).filter((action) => action.includes("*"))).toEqual([]);
});

test("the lifecycle rule covers the prefix and leaves an upload 30 days", async () => {
  const text = readFileSync(join(import.meta.dirname, "../../../deploy/aws/lifecycle.json"), "utf8");
  expect(JSON.parse(text.replaceAll("PREFIX", PREFIX))).toMatchObject({
    Rules: [
      {
        Status: "Enabled",
        Filter: { Prefix: PREFIX },
        AbortIncompleteMultipartUpload: { DaysAfterInitiation: 30 },
      },
    ],
  });
});
