import { StoreError, type ObjectStore } from "@sluice/core";
import { describe, expect, test, vi } from "vitest";
import { BucketGuard } from "./bucket-guard.ts";

function scene(error?: StoreError) {
  const answer = vi.fn<() => Promise<void>>(async () => {
    if (error) throw error;
  });
  // Every method answers alike: what matters is whether it is reached.
  const each = async function* () {
    await answer();
    yield new Uint8Array(1);
  };
  const inner = new Proxy({} as ObjectStore, {
    get: (_, name) => (name === "listUploads" || name === "read" ? each : answer),
  });
  return { answer, store: new BucketGuard(inner, ["new", "old"]) };
}

const REQUESTS: [string, (store: ObjectStore, bucket: string) => Promise<unknown>][] = [
  ["head", (store, bucket) => store.head({ bucket, key: "k" })],
  ["put", (store, bucket) => store.put({ bucket, key: "k" }, {} as never)],
  ["createUpload", (store, bucket) => store.createUpload({ bucket, key: "k" }, {} as never)],
  ["uploadPart", (store, bucket) => store.uploadPart({ bucket, key: "k", uploadId: "u" }, 1, {} as never)],
  ["listParts", (store, bucket) => store.listParts({ bucket, key: "k", uploadId: "u" })],
  ["complete", (store, bucket) => store.complete({ bucket, key: "k", uploadId: "u" }, {} as never)],
  ["abort", (store, bucket) => store.abort({ bucket, key: "k", uploadId: "u" })],
  ["listUploads", async (store, bucket) => await Array.fromAsync(store.listUploads(bucket, ""))],
  ["read", async (store, bucket) => await Array.fromAsync(store.read({ bucket, key: "k" }))],
];

describe.each(REQUESTS)("%s", (_, ask) => {
  test("D4c: never leaves for a bucket that the worker was not given", async () => {
    const { answer, store } = scene();
    await expect(ask(store, "other")).rejects.toMatchObject({ trouble: "not_ours", code: "ForeignBucket" });
    expect(answer).not.toHaveBeenCalled();
  });

  test.each(["new", "old"])("D4c: goes to the bucket %s of the worker", async (bucket) => {
    const { answer, store } = scene();
    await ask(store, bucket);
    expect(answer).toHaveBeenCalledOnce();
  });

  test("D4c: is the worker's trouble where its bucket is missing, the stream's where an old one is", async () => {
    const missing = new StoreError({
      trouble: "bucket",
      code: "NoSuchBucket",
      message: "missing",
      status: 404,
    });
    const { store } = scene(missing);
    await expect(ask(store, "new")).rejects.toBe(missing);
    await expect(ask(store, "old")).rejects.toMatchObject({
      trouble: "denied",
      code: "NoSuchBucket",
      message: "the old bucket old: missing",
    });
  });
});
