/** Stores that answer otherwise than AWS, imitated by quirks: what each of them did to a real worker, and must not do again. */
import { randomBytes } from "node:crypto";
import { startLocalS3, type Quirk } from "@sluice/local-s3";
import { describe, expect, it } from "vitest";
import { audit, auditRig } from "./audit.ts";
import { sluice } from "./cli-process.ts";
import { BUCKET, CREDENTIALS, startRig, writeWhole } from "./rig.ts";
import { Bucket } from "./rig/bucket.ts";
import { count, growAfterCompletion, LARGE } from "./rig/growing-store.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

describe("conditional Complete", () => {
  it("D6a: 412 to every If-Match (known from the probe): a reopened file replaces its own object after HeadObject", async () => {
    await using rig = await startRig({ quirks: { refuseIfMatchOnComplete: true } });
    const worker = await rig.start();
    await worker.said("Complete refuses every If-Match");
    await growAfterCompletion(rig, "a.bin");
    expect(count(rig, "CompleteMultipartUpload", "a.bin")).toBe(2);
  }, 60_000);

  it("D6a: 412 to every If-Match, found only at work, changes the profile, is said once and kept for the next start", async () => {
    const quirks: Partial<Record<Quirk, boolean>> = {};
    await using rig = await startRig({ quirks });
    const worker = await rig.start();
    quirks.refuseIfMatchOnComplete = true;
    await growAfterCompletion(rig, "a.bin");
    await growAfterCompletion(rig, "b.bin");
    const said = worker.lines.filter(({ msg }) =>
      msg.includes("refuses CompleteMultipartUpload with If-Match"),
    );
    expect(said).toMatchObject([{ level: 40 }]);
    await worker.terminate();
    const next = await rig.start();
    await next.said("refuses CompleteMultipartUpload with If-Match");
    await next.terminate();
    const doctor = await sluice(["doctor", "--json"], { env: rig.env() });
    expect(doctor.stdout).toContain("bucket.demoted");
  }, 90_000);
});

describe("an upload that has ended and is listed all the same", () => {
  for (const quirk of ["listEndedUploads", "listEndedUploadsEmpty"] as const) {
    it(`D6b: ${quirk}: one lost reply to Complete, with and without a kill after it, sends no part again`, async () => {
      await using rig = await startRig({ quirks: { [quirk]: true, nonIdempotentComplete: true } });
      const worker = await rig.start();
      rig.s3.faults.add({ operation: "CompleteMultipartUpload", key: "lost.bin" }, { kind: "loseReply" });
      const lost = writeWhole(rig, "lost.bin", randomBytes(LARGE));
      await rig.completed(lost);

      rig.s3.faults.add({ operation: "CompleteMultipartUpload", key: "killed.bin" }, { kind: "loseReply" });
      // The look-up after it is not answered either: nothing of the Complete is known when the worker dies.
      const look = { operation: ["HeadObject", "ListParts"] as const, key: "killed.bin", times: -1 };
      const killed = writeWhole(rig, "killed.bin", randomBytes(LARGE));
      await rig.until("its parts are there", () => count(rig, "UploadPart", "killed.bin") === 2);
      const hung = rig.s3.faults.add(look, { kind: "hang" });
      await rig.until(
        "Complete was carried out",
        () => count(rig, "CompleteMultipartUpload", "killed.bin") === 1,
      );
      await worker.kill();
      rig.s3.faults.remove(hung);
      await rig.start();
      await rig.completed(killed);
      for (const key of ["lost.bin", "killed.bin"])
        expect([key, count(rig, "UploadPart", key)]).toEqual([key, 2]);
      await audit(rig, [
        { path: lost, key: "lost.bin" },
        { path: killed, key: "killed.bin" },
      ]);
      await auditRig(rig);
    }, 90_000);
  }
});

it("D6f: another server behind the same endpoint after a restart: no object of another program is overwritten", async () => {
  await using rig = await startRig();
  const first = await rig.start();
  await rig.completed(writeWhole(rig, "before.bin", "before"));
  await first.terminate();
  const port = rig.s3.port;
  await rig.s3[Symbol.asyncDispose]();
  using directory = temporaryDirectory();
  // It says the same of itself, and ignores conditions on Put.
  await using other = await startLocalS3({
    dir: directory.at("s3"),
    credentials: CREDENTIALS,
    buckets: [BUCKET],
    port,
    fsync: false,
    quirks: { ignoreConditionalPut: true },
  });
  const bucket = new Bucket({ endpoint: other.url, bucket: BUCKET, ...CREDENTIALS });
  await bucket.put("taken.bin", "another program's");
  const second = await rig.start();
  await second.said("another server than before answers");
  const path = writeWhole(rig, "taken.bin", "ours");
  expect((await rig.completed(path))["s3_key"]).toBe("taken-2.bin");
  expect(await bucket.text("taken.bin")).toBe("another program's");
}, 60_000);

it("D6g, D6h: a store that names itself MinIO brings its 24 hours, and starts in a versioned bucket leave nothing", async () => {
  await using rig = await startRig({ named: { server: "MinIO" }, quirks: { versioned: true } });
  for (let start = 1; start <= 2; start += 1) {
    const worker = await rig.start();
    await worker.said("MinIO removes an upload 24 hours after it began");
    expect(worker.lines.filter(({ msg }) => msg.includes("No lifecycle rule"))).toEqual([]);
    await worker.terminate();
    expect(await rig.bucket.versions(".sluice-probe/")).toEqual([]);
  }
}, 60_000);
