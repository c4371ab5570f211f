import { describe, expect, it } from "vitest";
import { FAILURE_REASONS, type StreamRecord } from "@sluice/core";
import { systemClock } from "@sluice/control/system-clock";
import { Metrics, type OwnedStreamFacts, type MetricsFacts } from "./metrics.ts";

function stream(over: Partial<StreamRecord>): StreamRecord {
  // Only what the metrics look at.
  return {
    status: "processing",
    file_size: 0,
    bytes_sent: 0,
    last_activity_at_utc: new Date().toISOString(),
    ...over,
  } as StreamRecord;
}

type WatchFacts = ReturnType<MetricsFacts["watches"]> extends Iterable<infer One> ? One : never;

function held(
  watch: string,
  unshippedBytes: number,
  over: Partial<StreamRecord> = {},
  partsInFlight = 0,
  unprotectedMs?: number,
): OwnedStreamFacts {
  const unprotectedBytes = unshippedBytes + 1;
  return { watch, record: stream(over), unshippedBytes, unprotectedBytes, unprotectedMs, partsInFlight };
}

function facts(over: Partial<MetricsFacts> = {}): MetricsFacts {
  return {
    streams: () => [],
    watches: () => [watchOf("cameras")],
    pathCorrections: () => 2,
    safeguard: () => undefined,
    storeBlocked: () => false,
    redisBlocked: () => false,
    orphans: () => Promise.resolve({ uploads: 0, bytes: 0 }),
    ...over,
  };
}

/** Sample lines of one metric, without the source label that all have. */
async function samples(metrics: Metrics, name: string): Promise<string[]> {
  const text = await metrics.registry.metrics();
  return text
    .split("\n")
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .map((line) => line.replace(/,?source="vol"/, "").replace("{}", ""));
}

const watchOf = (name: string, over: Partial<WatchFacts> = {}): WatchFacts => ({
  name,
  offline: false,
  unopenedBytes: 0,
  refusedLinks: 0,
  space: undefined,
  ...over,
});

const METRICS = () => new Metrics({ version: "1.2.3", source: "vol" }, systemClock);

describe("metrics", () => {
  it("have every reason of failure from the start, at 0: a series that begins at 1 would raise no alert", async () => {
    const lines = await samples(METRICS(), "sluice_failed_total");
    expect(lines).toContain('sluice_failed_total{reason="access_denied"} 0');
    expect(lines).toHaveLength(FAILURE_REASONS.length);
  });

  it("count uploads the store will abort before long, watch by watch", async () => {
    const metrics = METRICS();
    const upload = (hoursLeft: number) =>
      held("cameras", 0, {
        s3_upload_id: "u",
        create_intent_at_utc: new Date(Date.now() - 20 * 3_600_000).toISOString(),
        upload_aborts_at_utc: new Date(Date.now() + hoursLeft * 3_600_000).toISOString(),
      });
    metrics.observe(facts({ streams: () => [upload(4), upload(40), held("cameras", 0)] }));
    expect(await samples(metrics, "sluice_uploads_near_abort")).toEqual([
      'sluice_uploads_near_abort{watch="cameras"} 1',
    ]);
  });

  it("count what S3 acknowledged, part by part and in one piece", async () => {
    const metrics = METRICS();
    const part = { number: 1, bytes: 8, ms: 1_500, attempts: 1 };
    metrics.observer.partAcknowledged(stream({}), part);
    metrics.observer.moved(stream({ status: "s3_completed", file_size: 5 }), "");
    metrics.observer.moved(stream({ status: "s3_completed", file_size: 5, s3_upload_id: "u" }), "");
    metrics.observer.moved(stream({ status: "completed" }), "");
    metrics.observer.moved(
      stream({ status: "failed_verify_mismatch", failure_reason: "verify_mismatch" }),
      "",
    );
    metrics.redisError();
    expect(await samples(metrics, "sluice_uploaded_bytes_total")).toEqual(["sluice_uploaded_bytes_total 13"]);
    expect(await samples(metrics, "sluice_part_upload_seconds_sum")).toEqual([
      "sluice_part_upload_seconds_sum 1.5",
    ]);
    expect(await samples(metrics, "sluice_completed_total")).toEqual(["sluice_completed_total 1"]);
    expect((await samples(metrics, "sluice_failed_total")).filter((line) => !line.endsWith(" 0"))).toEqual([
      'sluice_failed_total{reason="verify_mismatch"} 1',
    ]);
    expect(await samples(metrics, "sluice_redis_errors_total")).toEqual(["sluice_redis_errors_total 1"]);
    expect(await samples(metrics, "sluice_build_info")).toEqual(['sluice_build_info{version="1.2.3"} 1']);
    const [last = ""] = await samples(metrics, "sluice_last_part_timestamp_seconds");
    expect(Math.abs(Number(last.split(" ")[1]) - Date.now() / 1_000)).toBeLessThan(10);
  });

  it("say the safeguard's window and what it reaches, and nothing while it is off", async () => {
    const metrics = METRICS();
    const name = "sluice_tail_window_reached_seconds";
    metrics.observe(facts());
    expect(await samples(metrics, name)).toEqual([]);
    metrics.observe(facts({ safeguard: () => ({ windowMs: 30_000, reachedMs: 31_500 }) }));
    expect(await samples(metrics, name)).toEqual([`${name} 31.5`]);
    expect(await samples(metrics, "sluice_tail_window_seconds")).toEqual(["sluice_tail_window_seconds 30"]);
    metrics.observer.tailSent(stream({}), { bytes: 8, ms: 30_000 });
    expect(await samples(metrics, "sluice_tails_sent_total")).toEqual(["sluice_tails_sent_total 1"]);
    expect(await samples(metrics, "sluice_tail_bytes_total")).toEqual(["sluice_tail_bytes_total 8"]);
  });

  it("say how much room each disk has, and nothing of a disk that is not known or does not fill", async () => {
    const metrics = METRICS();
    const filling = {
      watch: "cameras",
      free_bytes: 5_000,
      total_bytes: 90_000,
      full_in_ms: 7_200_000,
      filling_since_utc: new Date(0).toISOString(),
    };
    const roomy = { watch: "audio", free_bytes: 80_000, total_bytes: 90_000 };
    metrics.observe(
      facts({
        watches: () => [
          watchOf("cameras", { space: filling }),
          watchOf("audio", { space: roomy }),
          watchOf("nfs"),
        ],
      }),
    );
    expect(await samples(metrics, "sluice_watch_free_bytes")).toEqual([
      'sluice_watch_free_bytes{watch="cameras"} 5000',
      'sluice_watch_free_bytes{watch="audio"} 80000',
    ]);
    expect(await samples(metrics, "sluice_watch_full_seconds")).toEqual([
      'sluice_watch_full_seconds{watch="cameras"} 7200',
    ]);
    expect(await samples(metrics, "sluice_watch_filling")).toEqual([
      'sluice_watch_filling{watch="cameras"} 1',
      'sluice_watch_filling{watch="audio"} 0',
    ]);
  });

  it("X19: have no label that grows without bound", async () => {
    const metrics = METRICS();
    for (let at = 0; at < 1_000; at += 1) metrics.observer.retried(stream({}), "part 1", `Code${at}`);
    const retries = await samples(metrics, "sluice_retries_total");
    expect(retries).toHaveLength(41);
    expect(retries).toContain('sluice_retries_total{reason="other"} 960');
  });

  it("show what is not in S3 yet, by watch, and how long the oldest of it waits", async () => {
    const metrics = METRICS();
    const old = new Date(Date.now() - 60_000).toISOString();
    metrics.observe(
      facts({
        watches: () => [
          watchOf("cameras", { unopenedBytes: 5, refusedLinks: 2 }),
          watchOf("audio", { offline: true }),
        ],
        streams: () => [
          held("cameras", 60, {}, 2, 60_000),
          held("cameras", 10, { last_activity_at_utc: old }, 1, 2_000),
          held("cameras", 0, { status: "s3_completed", last_activity_at_utc: old }),
        ],
        storeBlocked: () => true,
        redisBlocked: () => true,
        orphans: () => Promise.resolve({ uploads: 3, bytes: 4_096 }),
      }),
    );
    expect(await samples(metrics, "sluice_lag_bytes")).toEqual([
      'sluice_lag_bytes{watch="cameras"} 75',
      'sluice_lag_bytes{watch="audio"} 0',
    ]);
    expect(await samples(metrics, "sluice_unprotected_bytes")).toEqual([
      'sluice_unprotected_bytes{watch="cameras"} 78',
      'sluice_unprotected_bytes{watch="audio"} 0',
    ]);
    expect(await samples(metrics, "sluice_lag_seconds")).toEqual([
      'sluice_lag_seconds{watch="cameras"} 60',
      'sluice_lag_seconds{watch="audio"} 0',
    ]);
    expect(await samples(metrics, "sluice_streams")).toContain('sluice_streams{status="processing"} 2');
    expect(await samples(metrics, "sluice_watch_offline")).toContain('sluice_watch_offline{watch="audio"} 1');
    expect(await samples(metrics, "sluice_parts_in_flight")).toEqual(["sluice_parts_in_flight 3"]);
    expect(await samples(metrics, "sluice_store_blocked")).toEqual(["sluice_store_blocked 1"]);
    expect(await samples(metrics, "sluice_redis_blocked")).toEqual(["sluice_redis_blocked 1"]);
    expect(await samples(metrics, "sluice_orphan_uploads")).toEqual(["sluice_orphan_uploads 3"]);
    expect(await samples(metrics, "sluice_orphan_bytes")).toEqual(["sluice_orphan_bytes 4096"]);
  });

  it("leave a gap for what is not known, rather than a 0", async () => {
    const metrics = METRICS();
    expect(await samples(metrics, "sluice_store_blocked")).toEqual([]);
    metrics.observe(facts({ orphans: () => Promise.resolve(undefined) }));
    expect(await samples(metrics, "sluice_orphan_uploads")).toEqual([]);
    expect(await samples(metrics, "sluice_store_blocked")).toEqual(["sluice_store_blocked 0"]);
  });

  it("include the event loop's delay", async () => {
    expect(await samples(METRICS(), "sluice_nodejs_eventloop_lag_p99_seconds")).toHaveLength(1);
  });
});
