import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { StoreError, type StoreTrouble } from "@sluice/core";
import type { ServerFacts, WatchSpace, WorkerListing } from "@sluice/redis-schema";
import { FULL_PROFILE } from "@sluice/core/testing";
import { describe, expect, it } from "vitest";
import { namedProfile, type S3Profile, type StoreAnswers } from "@sluice/s3-store";
import { clockFinding } from "./clock-findings.ts";
import {
  directoryFindings,
  systemFindings,
  type DirectoryFacts,
  type SystemFacts,
} from "./directory-findings.ts";
import { worst } from "./doctor.ts";
import type { Finding, Severity } from "./finding.ts";
import { redisFindings, type RedisFacts } from "./redis-findings.ts";
import {
  demotionFindings,
  endingFindings,
  safeguardFinding,
  storeFindings,
  storeTroubleFinding,
} from "./store-findings.ts";
import { webhookFinding } from "./webhook-findings.ts";
import { workerFindings } from "./worker-findings.ts";

/** Ids that some test below has produced. */
const produced = new Set<string>();

function seen(findings: readonly Finding[]): Map<string, Finding> {
  for (const { id } of findings) produced.add(id);
  return new Map(findings.map((finding) => [finding.id, finding]));
}

/** The finding of this id; what is wrong comes with what to do. */
function found(findings: readonly Finding[], id: string): Finding {
  const finding = seen(findings).get(id);
  if (!finding) throw new Error(`no ${id} in ${findings.map((one) => one.id).join(", ")}`);
  if (finding.severity === "error" && !finding.remedy) throw new Error(`${id} does not say what to do`);
  return finding;
}

const SERVER: ServerFacts = {
  version: "7.0.15",
  product: "redis",
  isCluster: false,
  isReplica: false,
  appendOnly: true,
  maxMemoryBytes: 0,
  usedMemoryBytes: 1024,
  evictionPolicy: "noeviction",
  uptimeSeconds: 90,
};

const REDIS: RedisFacts = {
  url: "redis://127.0.0.1:6379",
  server: SERVER,
  schema: { kind: "ok" },
  prefixRemedy: undefined,
  latencyMs: 0.4,
  allowEviction: false,
};

const server = (over: Partial<ServerFacts>, more: Partial<RedisFacts> = {}) =>
  redisFindings({ ...REDIS, ...more, server: { ...SERVER, ...over } });

describe("Redis", () => {
  it("D4b: with a key that holds another type is an error that names the key", () => {
    const foreignKeys = ["the key events holds a string instead of a stream"];
    const findings = server({}, { foreignKeys });
    expect(found(findings, "redis.foreign_key")).toMatchObject({
      severity: "error",
      seen: `${foreignKeys[0]}.`,
    });
    expect(worst(findings)).toBe("error");
  });

  it("that is as it should be has nothing but ok", () => {
    const findings = redisFindings(REDIS);
    expect([...seen(findings).keys()]).toEqual([
      "redis.reached",
      "redis.durable",
      "redis.no_eviction",
      "redis.latency",
      "redis.memory",
    ]);
    expect(worst(findings)).toBe("ok");
  });

  it.each<[string, Severity, Partial<ServerFacts>]>([
    ["redis.evicts", "error", { evictionPolicy: "allkeys-lru" }],
    ["redis.not_durable", "warning", { appendOnly: false }],
    ["redis.too_old", "error", { version: "5.0.14" }],
    ["redis.replica", "error", { isReplica: true }],
    ["redis.nearly_full", "warning", { maxMemoryBytes: 1200 }],
    ["redis.nearly_full", "error", { maxMemoryBytes: 1024 }],
    ["redis.memory", "ok", { maxMemoryBytes: 4096 }],
  ])("%s is a finding: %s", (id, severity, facts) => {
    expect(found(server(facts), id)).toMatchObject({ severity });
  });

  it("that evicts is a warning where that is allowed", () => {
    expect(
      found(server({ evictionPolicy: "allkeys-lru" }, { allowEviction: true }), "redis.evicts"),
    ).toMatchObject({ severity: "warning" });
  });

  it("that does not say whether it evicts is told apart from one that does not", () => {
    const { evictionPolicy: _, ...managed } = SERVER;
    expect(found(redisFindings({ ...REDIS, server: managed }), "redis.eviction_unknown")).toMatchObject({
      severity: "info",
    });
  });

  it.each<[number, string, Severity]>([
    [49, "redis.latency", "ok"],
    [50, "redis.slow", "warning"],
    [500, "redis.slow", "error"],
  ])("at %d ms is %s, %s", (latencyMs, id, severity) => {
    expect(found(redisFindings({ ...REDIS, latencyMs }), id)).toMatchObject({ severity });
  });

  it("written by a newer version, or spread over a cluster, cannot be used", () => {
    const schema = { kind: "newer", found: 9, remedy: "run that version" } as const;
    expect(found(redisFindings({ ...REDIS, schema }), "redis.schema")).toMatchObject({ severity: "error" });
    expect(
      found(redisFindings({ ...REDIS, prefixRemedy: "use a hash tag" }), "redis.cluster_prefix"),
    ).toMatchObject({ severity: "error" });
  });
});

function worker(state: "ok" | "blocked" | "draining", spaces: WatchSpace[] = []): WorkerListing {
  return {
    id: "w1",
    lastSeenAt: 0,
    lease: {
      kind: "ok",
      value: {
        nonce: "n",
        boot_id: "",
        pid_namespace: "",
        host: "h",
        pid: 1,
        process_started: "1",
        version: "0.1.0",
        source: "src",
        watches: ["rec"],
        state,
        ...(state === "blocked" ? { state_detail: "the bucket is denied" } : {}),
        lag_bytes: 0,
        in_flight_bytes: 0,
        free_space: spaces,
        started_at_utc: "2026-11-24T00:00:00Z",
        renewed_at_utc: "2026-11-24T00:00:00Z",
      },
    },
  };
}

describe("workers", () => {
  it("alive, blocked and none are told apart", () => {
    expect(found(workerFindings([worker("ok")]), "worker.alive")).toMatchObject({ severity: "ok" });
    expect(found(workerFindings([worker("blocked")]), "worker.blocked").seen).toContain(
      "the bucket is denied",
    );
    expect(found(workerFindings([worker("blocked")]), "worker.blocked").remedy).toMatch(
      /^Fix what is named here\. Uploads then resume/,
    );
    expect(found(workerFindings([]), "worker.none")).toMatchObject({ severity: "info" });
    expect(
      found(workerFindings([{ id: "w", lastSeenAt: 0, lease: { kind: "gone" } }]), "worker.none"),
    ).toMatchObject({ severity: "info" });
  });

  it("whose disk fills say which, and when it is full", () => {
    const space = { watch: "rec", free_bytes: 5_000, total_bytes: 90_000 };
    const warned = { filling_since_utc: "2026-11-24T00:00:00Z", full_in_ms: 7_200_000 };
    const { severity, seen } = found(
      workerFindings([worker("ok", [{ ...space, ...warned }])]),
      "worker.disk_filling",
    );
    expect(severity).toBe("warning");
    expect(seen).toBe(
      "Worker w1 on h: the disk of watch rec fills, 4.9 KiB of 87.9 KiB free, full in 2 h at this rate.",
    );
    expect(workerFindings([worker("ok", [space])]).map(({ id }) => id)).toEqual(["worker.alive"]);
  });
});

describe("clocks", () => {
  it.each<["redis" | "bucket", number, string, Severity]>([
    ["redis", 1_999, "clock.redis", "ok"],
    ["redis", -2_000, "clock.redis_differs", "warning"],
    ["redis", 10 * 60_000, "clock.redis_differs", "warning"],
    ["bucket", 500, "clock.bucket", "ok"],
    ["bucket", 60_000, "clock.bucket_differs", "warning"],
    ["bucket", -8 * 60_000, "clock.bucket_differs", "error"],
  ])("%s off by %d ms: %s, %s", (whose, skewMs, id, severity) => {
    expect(found([clockFinding(whose, skewMs)], id)).toMatchObject({ severity });
  });

  it("say which one is late", () => {
    expect(clockFinding("redis", 5_000).seen).toBe("This clock is 5.0 s behind that of Redis.");
    expect(clockFinding("redis", -5_000).seen).toBe("This clock is 5.0 s ahead of that of Redis.");
  });
});

const ABLE: S3Profile = { ...namedProfile("aws"), ...FULL_PROFILE, uploadAgeDays: 30 };

const RIGHTS = [
  "ListBucket",
  "PutObject",
  "GetObject",
  "DeleteObject",
  "AbortMultipartUpload",
  "ListMultipartUploadParts",
  "ListBucketMultipartUploads",
] as const;

function answers(over: Partial<StoreAnswers> = {}, profile: Partial<S3Profile> = {}): StoreAnswers {
  return {
    profile: { ...ABLE, ...profile },
    rights: RIGHTS.map((right) => ({ right, ok: true, detail: "works" })),
    notes: [],
    refusals: [],
    ...over,
  };
}

const denied = (denied: string): StoreAnswers["rights"] =>
  RIGHTS.map((right) =>
    right === denied
      ? { right, ok: false, detail: "AccessDenied, HTTP 403" }
      : { right, ok: true, detail: "works" },
  );

describe("the bucket", () => {
  it("that can do everything has nothing but ok, each right and each capability by name", () => {
    const findings = storeFindings(answers());
    expect(worst(findings)).toBe("ok");
    expect([...seen(findings).keys()]).toEqual([
      ...RIGHTS.map((right) => `bucket.right.${right}`),
      "bucket.full_object_checksum",
      "bucket.body_checksum",
      "bucket.conditional_put",
      "bucket.conditional_complete",
      "bucket.if_match_on_complete",
      "bucket.list_parts_ends",
      "bucket.repeat_complete",
      "bucket.etag_is_md5",
      "bucket.head_missing_is_404",
      "bucket.uploads_by_prefix",
      "bucket.unequal_parts",
      "bucket.copy_ranges",
      "bucket.lifecycle",
    ]);
  });

  it.each(RIGHTS.filter((right) => right !== "DeleteObject"))(
    "that denies %s is an error that says what to allow",
    (right) => {
      const refusals = [`${right}: allow s3:${right} on b/prefix* (AccessDenied, HTTP 403)`];
      const findings = storeFindings(answers({ rights: denied(right), refusals }));
      expect(found(findings, `bucket.right.${right}`).remedy).toContain(`allow s3:${right}`);
      // What was not tried is not said to work.
      expect(findings.map(({ id }) => id)).not.toContain("bucket.conditional_put");
    },
  );

  it("that denies DeleteObject will do", () => {
    const findings = storeFindings(answers({ rights: denied("DeleteObject") }));
    expect(found(findings, "bucket.right.DeleteObject")).toMatchObject({ severity: "info" });
    expect(worst(findings)).toBe("info");
  });

  it("that fails a rehearsal is unfit, in the probe's own words", () => {
    const refusals = ["A multipart upload of two parts fails: InvalidPart, HTTP 400: no"];
    const unfit = seen(storeFindings(answers({ refusals }))).get("bucket.unfit");
    expect(unfit).toEqual({ id: "bucket.unfit", severity: "error", seen: refusals[0] });
  });

  it.each<[string, Partial<S3Profile>]>([
    ["bucket.no_full_object_checksum", { checksum: "per-part" }],
    ["bucket.no_body_checksum", { checksum: "off" }],
    ["bucket.no_conditional_put", { conditionalPut: false }],
    ["bucket.no_conditional_complete", { conditionalComplete: false }],
    ["bucket.no_if_match_on_complete", { ifMatchOnComplete: "refused_always" }],
    ["bucket.no_list_parts_ends", { listPartsEndsWithAbort: false }],
    ["bucket.no_repeat_complete", { repeatComplete: false }],
    ["bucket.no_etag_is_md5", { etagIsMd5: false }],
    ["bucket.no_head_missing_is_404", { headMissingIs404: false }],
    ["bucket.no_uploads_by_prefix", { listsUploadsByPrefix: false }],
    ["bucket.no_unequal_parts", { unequalParts: false }],
    ["bucket.no_copy_ranges", { copiesRanges: false }],
  ])("%s is said for information", (id, profile) => {
    expect(found(storeFindings(answers({}, profile)), id)).toMatchObject({ severity: "info" });
  });

  it.each<[string, Severity, number, Partial<S3Profile>]>([
    ["safeguard.off", "info", 0, {}],
    ["safeguard", "ok", 30_000, {}],
    ["safeguard.refused", "warning", 30_000, { replacedParts: "kept" }],
    ["safeguard.refused", "warning", 30_000, { replacedParts: "billed" }],
  ])("%s, %s, with a window of %d ms", (id, severity, windowMs, profile) => {
    expect(found([safeguardFinding(windowMs, profile)], id)).toMatchObject({ severity });
  });

  it.each<[string, Severity, number | undefined, StoreAnswers["lifecycle"]]>([
    ["bucket.lifecycle", "ok", 7, "rule"],
    ["bucket.lifecycle_short", "warning", 1, "rule"],
    ["bucket.no_lifecycle", "warning", undefined, "none"],
    ["bucket.lifecycle_unknown", "info", undefined, "unknown"],
  ])("%s, %s, with rules of %s days (D6g)", (id, severity, uploadAgeDays, lifecycle) => {
    const { uploadAgeDays: _, ...profile } = ABLE;
    const days = uploadAgeDays === undefined ? profile : { ...profile, uploadAgeDays };
    expect(
      found(storeFindings({ ...answers(lifecycle === undefined ? {} : { lifecycle }), profile: days }), id),
    ).toMatchObject({
      severity,
    });
  });

  it.each([
    [
      "rule",
      "A lifecycle rule of the bucket aborts uploads 1 day after they began",
      "Give the rule more days.",
    ],
    ["unknown", "The store aborts uploads 1 day after they began", "No rule of the bucket says so"],
  ] as const)("with an age limit (%s) says whose it is", (lifecycle, words, remedy) => {
    const findings = storeFindings({ ...answers({ lifecycle }), profile: { ...ABLE, uploadAgeDays: 1 } });
    const short = found(findings, "bucket.lifecycle_short");
    expect(short.seen).toContain(words);
    expect(short.remedy).toContain(remedy);
  });

  it("tells what its makers say of it", () => {
    expect(found(storeFindings(answers({}, { store: "wasabi" })), "bucket.note")).toMatchObject({
      severity: "info",
    });
  });

  it.each<[StoreTrouble, string]>([
    ["unreachable", "bucket.unreachable"],
    ["failing", "bucket.unreachable"],
    ["throttled", "bucket.unreachable"],
    ["credentials", "bucket.credentials"],
    ["bucket", "bucket.missing"],
  ])("in trouble (%s) is %s", (trouble, id) => {
    const error = new StoreError({ trouble, code: "Code", message: "what happened" });
    expect(found([storeTroubleFinding(error, "recordings")], id).seen).toBe("Code: what happened");
  });

  it("D6a: what a worker found untrue at work is a warning", () => {
    const seenAtWork = demotionFindings(["The store refuses …"]);
    expect(found(seenAtWork, "bucket.demoted")).toMatchObject({ severity: "warning" });
  });

  it.each<StoreTrouble>(["denied", "name", "garbled", "rejected"])(
    "in trouble of its own kind (%s) is unfit",
    (trouble) => {
      const error = new StoreError({ trouble, code: "Code", message: "what happened" });
      expect(storeTroubleFinding(error, "recordings")).toMatchObject({
        id: "bucket.unfit",
        severity: "error",
      });
    },
  );
});

const DIRECTORY: DirectoryFacts = {
  name: "rec",
  root: "/rec",
  unusable: undefined,
  silent: undefined,
  polling: "auto",
  rescanIntervalMs: 10_000,
  survey: { directories: 2, files: 10, unreadable: 0, cut: false },
  birthTimes: true,
  tidies: false,
  writable: false,
  unusableTarget: undefined,
  ignoreOpen: false,
  space: { watch: "rec", free_bytes: 50 * 1024 ** 3, total_bytes: 100 * 1024 ** 3 },
};

describe("a watch", () => {
  it("that can be read and followed has nothing but ok, also where it cannot be written", () => {
    const findings = directoryFindings(DIRECTORY);
    expect([...seen(findings).keys()]).toEqual(["directory.readable", "directory.events", "directory.space"]);
    expect(worst(findings)).toBe("ok");
  });

  it.each<[string, Severity, Partial<DirectoryFacts>]>([
    [
      "directory.unusable",
      "error",
      { unusable: { what: "watch rec: /rec is not there", remedy: "create or mount it" } },
    ],
    ["directory.unreadable_files", "warning", { survey: { ...DIRECTORY.survey, unreadable: 3 } }],
    ["directory.network_fs", "warning", { silent: "NFS does not report changes made elsewhere" }],
    ["directory.events_missed", "warning", { silent: "NFS does not report …", polling: "off" }],
    ["directory.polled", "info", { polling: "on" }],
    ["directory.no_birth_times", "info", { birthTimes: false }],
    ["directory.ignores_open", "info", { ignoreOpen: true }],
    ["directory.space_unknown", "info", { space: undefined }],
    [
      "directory.space_low",
      "warning",
      { space: { watch: "rec", free_bytes: 1, total_bytes: 100, filling_since_utc: "2026-11-30T00:00:00Z" } },
    ],
    ["directory.not_writable", "error", { tidies: true }],
    ["directory.no_target", "error", { tidies: true, writable: true, unusableTarget: "/done" }],
  ])("%s is a finding: %s", (id, severity, facts) => {
    expect(found(directoryFindings({ ...DIRECTORY, ...facts }), id)).toMatchObject({ severity });
  });

  it("that is larger than was looked at says so", () => {
    const survey = { directories: 1, files: 100_000, unreadable: 0, cut: true };
    const findings = directoryFindings({ ...DIRECTORY, survey });
    expect(found(findings, "directory.readable").seen).toContain("at least 100,000 files");
  });
});

const SYSTEM: SystemFacts = {
  maxUserWatches: 10_000,
  maxUserInstances: 128,
  visibility: { seen: "all", detail: "Open files of all processes can be seen." },
};

describe("the system", () => {
  const survey = (directories: number) => [{ ...DIRECTORY.survey, directories }];

  it("that has room has nothing but ok", () => {
    expect([...seen(systemFindings(SYSTEM, survey(10))).keys()]).toEqual([
      "system.inotify_watches",
      "system.inotify_instances",
      "system.writers_seen",
    ]);
  });

  it("with too few inotify watches for all directories together says the command", () => {
    const findings = systemFindings(SYSTEM, [...survey(2_500), ...survey(2_500)]);
    const { remedy } = found(findings, "system.inotify_watches_few");
    expect(remedy).toContain("sysctl fs.inotify.max_user_watches=524288");
  });

  it("with too few inotify instances says so", () => {
    expect(
      found(systemFindings({ ...SYSTEM, maxUserInstances: 8 }, []), "system.inotify_instances_few"),
    ).toMatchObject({ severity: "warning" });
  });

  it("without inotify says nothing of it", () => {
    const none = { ...SYSTEM, maxUserWatches: undefined, maxUserInstances: undefined };
    expect(systemFindings(none, survey(9)).map(({ id }) => id)).toEqual(["system.writers_seen"]);
  });

  it.each<["some" | "none", string]>([
    ["some", "system.writers_partly_seen"],
    ["none", "system.writers_not_seen"],
  ])("where %s of the writers are seen is %s", (share, id) => {
    const visibility = { seen: share, detail: "in words" };
    expect(found(systemFindings({ ...SYSTEM, visibility }, []), id)).toMatchObject({ severity: "warning" });
  });
});

it("only copies that end soon are named with what makes an object of them", () => {
  const ending = {
    uploadId: "u1",
    streamId: "s1",
    bucket: "b",
    key: "a.mxf",
    path: "/rec/a.mxf",
    bytes: 5,
    beganAt: 0,
    endsAt: 7_200_000,
    by: "retention" as const,
  };
  expect(endingFindings([], 0)).toEqual([]);
  const { severity, seen, remedy } = found(endingFindings([ending], 0), "bucket.only_copies_end");
  expect(severity).toBe("warning");
  expect(seen).toBe(
    "1 upload that is an only copy ends soon: a.mxf, 5 B, in 2 h, by SLUICE_FAILED_UPLOAD_RETENTION.",
  );
  expect(remedy).toContain("sluice salvage s1");
});

describe("the webhook's receiver", () => {
  const failed = (reason: string, detail: string) =>
    webhookFinding("https://hooks.example", { kind: "failed", reason, detail, retryAfterMs: 0 });

  it("that accepts a signed ping is ok", () => {
    expect(
      found([webhookFinding("https://hooks.example", { kind: "accepted" })], "webhook.accepted").severity,
    ).toBe("ok");
  });

  it.each([
    ["webhook.refused", "status_4xx", "it answers 401"],
    ["webhook.unanswered", "unreachable", "ECONNREFUSED"],
    ["webhook.unanswered", "timeout", "no answer within 10 s"],
  ])("is %s when it ends in %s", (id, reason, detail) => {
    const { severity, seen, remedy } = found([failed(reason, detail)], id);
    expect(severity).toBe("warning");
    expect(seen).toContain(detail);
    expect(remedy).toContain("uploads do not wait");
  });
});

describe("the worst finding", () => {
  it("is an error before a warning before information", () => {
    const of = (...severities: Severity[]) => severities.map((severity) => ({ id: "x", severity, seen: "" }));
    expect(worst(of("ok", "warning", "error"))).toBe("error");
    expect(worst(of("ok", "info", "warning"))).toBe("warning");
    expect(worst([])).toBe("ok");
  });
});

/** Those of the process's surroundings are produced by the doctor's own test, on real ones. */
const SURROUNDINGS = ["config.read", "config.wrong", "config.ignored", "redis.unreachable"];
const read = (...path: string[]) => readFileSync(join(import.meta.dirname, ...path), "utf8");

it("every finding there is has been produced by a test", () => {
  const sources = readdirSync(import.meta.dirname).filter(
    (name) => name.endsWith(".ts") && !name.endsWith(".test.ts"),
  );
  const ids = new Set(
    sources.flatMap((name) =>
      [...read(name).matchAll(/"((?:config|redis|worker|bucket|directory|system|clock)\.[a-z0-9_]+)"/g)].map(
        ([, id = ""]) => id,
      ),
    ),
  );
  expect(ids.size).toBeGreaterThan(40);
  const onReal = read("../../test/doctor.test.ts");
  for (const id of SURROUNDINGS) expect(onReal).toContain(`"${id}"`);
  expect([...ids].filter((id) => !produced.has(id) && !SURROUNDINGS.includes(id))).toEqual([]);
});
