/** The doctor on real patients: a real Redis, a real endpoint with faults and quirks, real directories. */
import { chmodSync, mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Finding } from "../src/doctor/finding.ts";
import { document, sluice, type CliOptions } from "./cli-process.ts";
import { startRig, type Rig, type RigOptions } from "./rig.ts";
import { slowProxy } from "./slow-proxy.ts";

const AS_NOBODY = fileURLToPath(new URL("fixtures/doctor-as-nobody.ts", import.meta.url));

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(async () => {
  await rig?.[Symbol.asyncDispose]();
});

interface Examined {
  code: number | null;
  findings: Map<string, Finding>;
  wrong: string[];
}

async function examine(
  env: Readonly<Record<string, string>> = {},
  options: CliOptions & { of?: Rig; args?: string[] } = {},
): Promise<Examined> {
  const { of = rig, args = [], ...rest } = options;
  const answer = await sluice(["doctor", "--json", ...args], {
    ...rest,
    env: of.env(env),
    cwd: of.directory,
  });
  const list = document<Finding[]>(answer);
  return {
    code: answer.code,
    findings: new Map(list.map((finding) => [finding.id, finding])),
    wrong: list.filter(({ severity }) => severity === "error").map(({ id }) => id),
  };
}

describe("sluice doctor", () => {
  it("finds a healthy installation healthy, and leaves nothing in the bucket", async () => {
    const { code, findings, wrong } = await examine();
    expect([code, wrong]).toEqual([0, []]);
    for (const id of [
      "config.read",
      "redis.durable",
      "bucket.right.PutObject",
      "bucket.conditional_complete",
    ])
      expect(findings.get(id)?.severity).toBe("ok");
    for (const id of ["clock.redis", "clock.bucket", "directory.readable", "system.inotify_watches"])
      expect(findings.get(id)?.severity).toBe("ok");
    expect(findings.get("worker.none")?.severity).toBe("info");
    expect(await rig.bucket.keys()).toEqual([]);
    expect(await rig.bucket.openUploads()).toEqual([]);
  });

  it("in a table shows what to do beside what is wrong; with --strict a warning fails", async () => {
    // Of this store it is known that lifecycle rules alone abort uploads: a bucket without one deserves a warning.
    const env = rig.env({ SLUICE_S3_PROFILE: "aws" });
    const { code, stdout } = await sluice(["doctor", "--strict"], { env, cwd: rig.directory });
    expect(code).toBe(1);
    expect(stdout).toMatch(/warning +bucket\.no_lifecycle +No lifecycle rule .*\n +→ Add a rule that aborts/);
    expect(stdout).toMatch(/\n0 errors, \d+ warnings?, \d+ findings\.\n$/);
  });

  it("says of a wrong configuration every problem, and ends with 78", async () => {
    const answer = await sluice(["doctor", "--json"], {
      env: { SLUICE_REDIS_URL: rig.redis.url, SLUICE_SOURCE: "s", SLUICE_NO_SUCH_THING: "1" },
      cwd: rig.directory,
    });
    expect(answer.code).toBe(78);
    const findings = document<Finding[]>(answer);
    const wrong = findings.filter(({ id }) => id === "config.wrong");
    // What these do not concern is looked at all the same.
    const ids = findings.map(({ id }) => id);
    expect(ids).toContain("redis.reached");
    expect(ids.filter((id) => id.startsWith("bucket.") || id.startsWith("watch."))).toEqual([]);
    expect(wrong.map(({ seen }) => seen).join("\n")).toMatch(
      /SLUICE_S3_BUCKET is not set[\s\S]*SLUICE_WATCH is not set/,
    );
  });

  it("says which settings are ignored", async () => {
    const { code, findings } = await examine({ SLUICE_NO_SUCH_THING: "1" });
    expect(code).toBe(0);
    expect(findings.get("config.ignored")?.seen).toContain("SLUICE_NO_SUCH_THING is not a setting");
  });

  it("goes on without Redis, and without the bucket", async () => {
    const { code, findings, wrong } = await examine({
      SLUICE_REDIS_URL: "redis://127.0.0.1:1",
      SLUICE_S3_ENDPOINT: "http://127.0.0.1:1",
    });
    expect([code, wrong]).toEqual([1, ["redis.unreachable", "bucket.unreachable"]]);
    expect(findings.get("directory.readable")?.severity).toBe("ok");
  });

  it("sees a Redis that evicts, keeps nothing and is full", async () => {
    await rig.records.redis.config("SET", "maxmemory-policy", "allkeys-lru");
    await rig.records.redis.config("SET", "appendonly", "no");
    await rig.records.redis.config("SET", "maxmemory", "1mb");
    const { wrong, findings } = await examine();
    await rig.records.redis.config("SET", "maxmemory", "0");
    await rig.records.redis.config("SET", "appendonly", "yes");
    await rig.records.redis.config("SET", "maxmemory-policy", "noeviction");
    expect(wrong).toEqual(["redis.evicts", "redis.nearly_full"]);
    expect(findings.get("redis.not_durable")?.severity).toBe("warning");
  });

  it("sees a Redis behind a slow line", async () => {
    await using slow = await slowProxy(rig.redis.port, 30);
    const { findings } = await examine({ SLUICE_REDIS_URL: `redis://127.0.0.1:${slow.port}` });
    expect(findings.get("redis.slow")).toMatchObject({
      severity: "warning",
      remedy: expect.stringContaining("closer"),
    });
  });

  it("sees keys of a newer version", async () => {
    await rig.records.redis.set("schema", "99");
    const { wrong } = await examine();
    await rig.records.redis.del("schema");
    expect(wrong).toEqual(["redis.schema"]);
  });

  it("sees a running worker", async () => {
    const worker = await rig.start();
    const { findings } = await examine();
    await worker.terminate();
    expect(findings.get("worker.alive")?.seen).toContain(
      "Worker rig-worker (0.1.0) of the source rig is at work",
    );
  });

  it("sees wrong credentials, a missing bucket, and one that will be created", async () => {
    const wrongKey = await examine({ AWS_SECRET_ACCESS_KEY: "not-the-secret" });
    expect([wrongKey.code, wrongKey.wrong]).toEqual([1, ["bucket.credentials"]]);
    const missing = await examine({ SLUICE_S3_BUCKET: "not-there" });
    expect(missing.wrong).toEqual(["bucket.missing"]);
    const later = await examine({ SLUICE_S3_BUCKET: "not-there", SLUICE_S3_CREATE_BUCKET: "true" });
    expect([later.code, later.findings.get("bucket.missing")?.severity]).toEqual([0, "info"]);
  });

  it.each([
    ["PutObject", "PutObject"],
    ["GetObject", "GetObject"],
    ["ListParts", "ListMultipartUploadParts"],
    ["ListMultipartUploads", "ListBucketMultipartUploads"],
    ["AbortMultipartUpload", "AbortMultipartUpload"],
  ] as const)("sees that %s is denied and says what to allow", async (operation, right) => {
    const reply = { status: 403, code: "AccessDenied" };
    const fault = rig.s3.faults.add({ operation, times: -1 }, { kind: "reply", reply });
    const { code, findings, wrong } = await examine();
    rig.s3.faults.remove(fault);
    expect(code).toBe(1);
    expect(wrong).toContain(`bucket.right.${right}`);
    expect(findings.get(`bucket.right.${right}`)?.remedy).toContain(`allow s3:${right} on`);
  });

  it.each<[string, RigOptions["quirks"] & object]>([
    ["bucket.no_full_object_checksum", { noChecksums: true }],
    ["bucket.no_conditional_put", { ignoreConditionalPut: true }],
    ["bucket.no_conditional_complete", { ignoreConditionalComplete: true }],
    ["bucket.no_repeat_complete", { nonIdempotentComplete: true }],
    ["bucket.no_etag_is_md5", { etagNotMd5: true }],
    ["bucket.no_head_missing_is_404", { head403OnMissing: true }],
    ["bucket.no_uploads_by_prefix", { listUploadsExactKeyOnly: true }],
    ["bucket.no_unequal_parts", { equalParts: true }],
  ])("sees %s of a store that is so", async (id, quirks) => {
    await using weak = await startRig({ quirks });
    const { code, findings } = await examine({}, { of: weak });
    expect([code, findings.get(id)?.severity]).toEqual([0, "info"]);
  });

  it("sees a watch that is missing, and one that cannot be read", async () => {
    const missing = await examine({ SLUICE_WATCH: join(rig.directory, "not-there") });
    expect([missing.code, missing.wrong]).toEqual([1, ["directory.unusable"]]);
    // A second try begins with a directory of its own.
    const closed = mkdtempSync(join(rig.directory, "closed-"));
    const unreadable = await examine({ SLUICE_WATCH: closed }, { program: AS_NOBODY });
    chmodSync(closed, 0o755);
    expect(unreadable.wrong).toEqual(["directory.unusable"]);
  });

  it("as another user sees files it cannot read and a watch it cannot tidy", async () => {
    const root = mkdtempSync(join(rig.directory, "others-"));
    chmodSync(root, 0o755);
    writeFileSync(join(root, "secret.mkv"), "x", { mode: 0o600 });
    writeFileSync(join(root, "open.mkv"), "x", { mode: 0o644 });
    const kept = await examine({ SLUICE_WATCH: root }, { program: AS_NOBODY });
    expect(kept.wrong).toEqual([]);
    expect(kept.findings.get("directory.unreadable_files")?.seen).toContain(
      "1 file or directory cannot be read",
    );
    expect(kept.findings.get("system.writers_partly_seen")?.severity).toBe("warning");
    const env = { SLUICE_WATCH: root, SLUICE_AFTER_UPLOAD: `move:${rig.directory}/elsewhere/done` };
    const tidied = await examine(env, { program: AS_NOBODY });
    expect(tidied.wrong).toEqual(["directory.not_writable", "directory.no_target"]);
  });

  it("sees that polling is on, that open writers are ignored, and that events are off", async () => {
    const { findings } = await examine({ SLUICE_POLLING: "on", SLUICE_IGNORE_OPEN: "true" });
    expect(findings.get("directory.polled")?.severity).toBe("info");
    expect(findings.get("directory.ignores_open")?.severity).toBe("info");
  });
});
