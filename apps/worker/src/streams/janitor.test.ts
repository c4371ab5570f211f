import { StoreError, type ObjectStore, type UploadRef } from "@sluice/core";
import type { OrphanStore, SchemaContext, UploadToAbort } from "@sluice/redis-schema";
import { expect, test, vi } from "vitest";
import { abortLeftUploads, type JanitorDeps } from "./janitor.ts";

const left = (id: string, over: Partial<UploadToAbort> = {}): UploadToAbort => ({
  s3_upload_id: id,
  s3_bucket: "b",
  s3_key: `${id}.mov`,
  stream_id: id,
  source: "vol",
  who: "op",
  at_utc: "2026-11-24T10:00:00.000Z",
  ...over,
});

test("C22: an upload that cannot be aborted stays on the list and stops no other; another bucket's is another worker's", async () => {
  const list = [left("stuck"), left("elsewhere", { s3_bucket: "other" }), left("gone")];
  const asked: string[] = [];
  const aborted = vi.fn<(ids: readonly string[]) => Promise<void>>(() => Promise.resolve());
  const orphans: Partial<OrphanStore> = {
    toAbort: () => Promise.resolve(list),
    aborted,
    removeOrphans: () => Promise.resolve(),
  };
  const store: Partial<ObjectStore> = {
    // One that the store does not know any more is as good as aborted.
    abort: ({ uploadId }: UploadRef) => {
      asked.push(uploadId);
      if (uploadId !== "stuck") return Promise.resolve();
      return Promise.reject(new StoreError({ trouble: "denied", code: "AccessDenied", message: "no" }));
    },
  };
  const warn = vi.fn<() => void>();
  const deps: JanitorDeps = {
    context: {} as SchemaContext,
    store: store as ObjectStore,
    orphans: orphans as OrphanStore,
    // Their records were purged.
    streams: {
      claimFailed: (id) => Promise.resolve({ id, kind: "absent" }),
      write: () => Promise.reject(new Error("no record is written")),
      release: () => Promise.reject(new Error("nothing is released")),
    },
    hold: () => ({ has: () => true, [Symbol.dispose]: () => undefined }),
    workerId: "w",
    bucket: "b",
    historyMs: 0,
    failedUploadRetentionMs: 0,
    clock: { wallMs: () => 0 },
    steadyMs: () => 0,
    confirmRedis: () => Promise.resolve(),
    locked: () => false,
    log: { info: () => undefined, warn },
  };
  await abortLeftUploads(deps);
  expect(asked).toEqual(["stuck", "gone"]);
  expect(aborted.mock.calls).toEqual([[["gone"]]]);
  expect(warn).toHaveBeenCalledOnce();
});
