/** The upload of a superseded stream is an only copy that ends: log, list, doctor and webhook say so beforehand. */
import { randomBytes } from "node:crypto";
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { document, sluice } from "./cli-process.ts";
import { SECRET, startReceiver } from "./webhook-receiver.ts";
import { MIB, PART, startRig, writeWhole } from "./rig.ts";

const SETTINGS = {
  SLUICE_IDLE_TIMEOUT: "1h",
  SLUICE_IDLE_MAX: "1h",
  // Within the day in which it is said.
  SLUICE_FAILED_UPLOAD_RETENTION: "12h",
};

it("an only copy that the retention ends is said by log, ls, doctor and webhook, with what makes an object of it", async () => {
  await using receiver = await startReceiver();
  const webhooks = { SLUICE_WEBHOOK_URL: receiver.url, SLUICE_WEBHOOK_SECRET: SECRET };
  await using rig = await startRig({ env: { ...SETTINGS, ...webhooks } });
  const worker = await rig.start();
  const path = writeWhole(rig, "take.mxf", randomBytes(PART + MIB));
  const { id } = await rig.live(path, ({ next_part: next }) => next === "2");
  const cli = { env: rig.env(), cwd: rig.directory };
  expect((await sluice(["ls"], cli)).stderr).not.toContain("only copy");
  const other = join(rig.directory, "other.mxf");
  writeFileSync(other, randomBytes(1_000));
  renameSync(other, path);
  await rig.until("it is superseded", async () => {
    const stream = await rig.records.stream(id);
    return stream?.status === "failed_file_replaced" && stream["source_state"] === "replaced";
  });
  const lease = await rig.records.redis.hget("worker:rig-worker", "failed_upload_retention_ms");
  expect(lease).toBe(String(12 * 3_600_000));
  const { stderr } = await sluice(["ls"], cli);
  expect(stderr).toMatch(/1 upload that is an only copy ends soon: take\.mxf, 5\.0 MiB, in 1[12] h/);
  expect(stderr).toContain(`(sluice salvage ${id})`);
  const findings = document<{ id: string; severity: string; seen: string }[]>(
    await sluice(["doctor", "--json"], cli),
  );
  expect(findings.find((finding) => finding.id === "bucket.only_copies_end")).toMatchObject({
    severity: "warning",
    seen: expect.stringContaining("take.mxf, 5.0 MiB, in 1") as string,
  });
  await rig.until("the log says so", () =>
    worker.lines.some(({ msg, stream_id }) => stream_id === id && msg.includes("ends soon")),
  );
  // A worker that starts looks for it at once, and not only within a minute.
  expect(await worker.terminate()).toEqual({ code: 0, signal: null });
  await rig.start();
  const sent = () => receiver.accepted().filter(({ type }) => type === "upload.ending");
  await rig.until("a webhook says so", () => sent().length > 0);
  expect(sent()).toMatchObject([{ data: { stream_id: id, by: "retention", original_path: path } }]);
}, 120_000);
