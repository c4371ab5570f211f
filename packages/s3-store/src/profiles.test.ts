import { expect, test } from "vitest";
import { CAUTIOUS, namedProfile, storeAt, namedByItself } from "./profiles.ts";

test("stores are known by their endpoint", () => {
  const rows: [endpoint: string | undefined, store: string][] = [
    [undefined, "aws"],
    ["https://s3.eu-west-1.amazonaws.com", "aws"],
    ["https://abc.r2.cloudflarestorage.com", "r2"],
    ["https://s3.us-west-004.backblazeb2.com", "b2"],
    ["https://storage.googleapis.com", "gcs"],
    ["https://s3.eu-central-1.wasabisys.com", "wasabi"],
    ["https://s3.fr-par.scw.cloud", "scaleway"],
    ["https://gateway.storjshare.io", "storj"],
    ["https://fra1.digitaloceanspaces.com", "digitalocean"],
    ["http://127.0.0.1:9000", "unknown"],
    ["https://amazonaws.com.example.org", "unknown"],
  ];
  expect(rows.map(([endpoint]) => storeAt(endpoint))).toEqual(rows.map(([, store]) => store));
});

test("2c a named store brings its limits and is cautious otherwise", () => {
  expect(namedProfile("scaleway")).toEqual({ ...CAUTIOUS, store: "scaleway", maxParts: 1_000 });
  expect(namedProfile("r2")).toMatchObject({ unequalParts: false, uploadAgeDays: 7 });
  expect(namedProfile("aws").maxObjectBytes).toBe(10_000 * 5 * 1024 ** 3);
  expect(namedProfile("unknown")).toEqual(CAUTIOUS);
});

test.each([
  ["by its header", { server: "MinIO" }, "minio"],
  ["by its headers' family", { "x-minio-deployment-id": "1" }, "minio"],
  [
    "by the form of its request ids",
    { "x-amz-request-id": "tx00000e623049071790177-006b0d6a73-100c-default" },
    "ceph",
  ],
  ["not by ids that only begin so", { "x-amz-request-id": "txa5ee1ec4da4a4ad1b5d5b-0052b3a2c1" }, undefined],
  ["not by AWS's", { "x-amz-request-id": "3B3C7C725673C630" }, undefined],
])("a server is known %s", (_, headers, store) => {
  expect(namedByItself(headers as Parameters<typeof namedByItself>[0])).toBe(store);
});
