/** One key that the store denies while it answers for all others: its stream's trouble, in the end its failure. */
import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import { TROUBLE } from "@sluice/local-s3";
import { expect, it } from "vitest";
import { audit, auditRig } from "./audit.ts";
import { PART, startRig, writeWhole } from "./rig.ts";
import { ask } from "./rig/ask.ts";

const SOON_DENIED = fileURLToPath(new URL("fixtures/worker-soon-denied.ts", import.meta.url));

it("S34: a key denied for too long ends access_denied with its upload kept, others go on, and a retry sends only what is missing", async () => {
  await using rig = await startRig();
  const worker = rig.launch({}, SOON_DENIED);
  await worker.ready();
  const fault = rig.s3.faults.add(
    { operation: "UploadPart", key: "denied.mov", partNumber: 2, times: -1 },
    TROUBLE.accessDenied(),
  );
  const denied = writeWhole(rig, "denied.mov", randomBytes(2 * PART + 10));
  const failed = await rig.until("its stream has failed for that reason", async () =>
    (await rig.records.streams()).find(({ status }) => status === "failed_access_denied"),
  );
  expect(failed).toMatchObject({ original_path: denied, failure_reason: "access_denied" });
  const others = ["small.mov", "large.mov"].map((key, at) => ({
    path: writeWhole(rig, key, randomBytes(at * 2 * PART + 10)),
    key,
  }));
  for (const { path } of others) await rig.completed(path);
  expect(await rig.records.redis.hget("worker:rig-worker", "state")).toBe("ok");
  expect(await rig.bucket.openUploads()).toEqual([{ key: "denied.mov", uploadId: failed["s3_upload_id"] }]);
  rig.s3.faults.remove(fault);
  expect(await ask(rig, "retry", failed.id)).toMatchObject({ result: "done" });
  expect((await rig.completed(denied)).id).toBe(failed.id);
  await audit(rig, [...others, { path: denied, key: "denied.mov" }]);
  await auditRig(rig);
}, 60_000);
