/**
 * `sluice_*` metrics: counters fed by the observer, gauges read at each scrape. A source that fails leaves a gap and no
 * error.
 */
import {
  KINDS,
  kindOf,
  uploadAge,
  type AgedUpload,
  type Clock,
  type Observer,
  type StreamRecord,
} from "@sluice/core";
import type { WatchSpace } from "@sluice/redis-schema";
import { Counter, Gauge, Registry, collectDefaultMetrics } from "prom-client";
import { prometheusObserver, type PartDurations } from "./prometheus-observer.ts";

/** A stream this worker holds, as metrics see it. */
export interface OwnedStreamFacts {
  watch: string;
  record: Pick<StreamRecord, "status"> & AgedUpload;
  unshippedBytes: number;
  unprotectedBytes: number;
  /** Age of the oldest byte that is not in S3. */
  unprotectedMs: number | undefined;
  partsInFlight: number;
}

export interface MetricsFacts {
  streams(): Iterable<OwnedStreamFacts>;
  /** `unopenedBytes`: bytes of files that have no stream yet because Redis refuses writes. */
  watches(): Iterable<{
    name: string;
    offline: boolean;
    unopenedBytes: number;
    refusedLinks: number;
    /** Undefined if it is not known. */
    space: WatchSpace | undefined;
  }>;
  /** How often the table of paths disagreed with the running streams and was corrected. */
  pathCorrections(): number;
  /** What the safeguard is set to and what it reaches, ms; absent without one. */
  safeguard(): { windowMs: number; reachedMs: number | undefined } | undefined;
  storeBlocked(): boolean;
  redisBlocked(): boolean;
  /** From the last scan; undefined if Redis does not answer. */
  orphans(): Promise<{ uploads: number; bytes: number } | undefined>;
}

type Read = (facts: MetricsFacts, gauge: Gauge) => void | Promise<void>;

export class Metrics {
  readonly registry = new Registry();
  readonly observer: Observer;
  readonly #clock: Pick<Clock, "wallMs">;
  readonly #redisErrors: Counter;
  readonly #partSeconds: PartDurations;
  #facts: MetricsFacts | undefined;

  constructor(labels: { version: string; source: string }, clock: Pick<Clock, "wallMs">) {
    this.#clock = clock;
    const registers = [this.registry];
    this.registry.setDefaultLabels({ source: labels.source });
    // These include the event loop's delay.
    collectDefaultMetrics({ register: this.registry, prefix: "sluice_", eventLoopMonitoringPrecision: 10 });
    const { partSeconds, ...observer } = prometheusObserver(this.registry, clock);
    this.observer = observer;
    this.#partSeconds = partSeconds;
    this.#redisErrors = new Counter({
      name: "sluice_redis_errors_total",
      help: "Errors of the connections to Redis.",
      registers,
    });
    const build = new Gauge({
      name: "sluice_build_info",
      help: "Always 1.",
      labelNames: ["version"],
      registers,
    });
    build.set({ version: labels.version }, 1);
    const corrections = (): number => this.#facts?.pathCorrections() ?? 0;
    new Counter({
      name: "sluice_paths_mended_total",
      help: "Times that the table of paths disagreed with the running streams and was corrected.",
      registers,
      collect() {
        this.reset();
        this.inc(corrections());
      },
    });
    this.#gauges();
  }

  /** Called when the worker runs and gauges have values to read. */
  observe(facts: MetricsFacts): void {
    this.#facts = facts;
  }

  /** How long parts took since the start, as the metric counts them. */
  partSeconds(): ReturnType<PartDurations> {
    return this.#partSeconds();
  }

  redisError(): void {
    this.#redisErrors.inc();
  }

  #gauges(): void {
    this.#gauge("sluice_streams", "Streams this worker holds.", ["status"], ({ streams }, gauge) => {
      for (const kind of KINDS) gauge.set({ status: kind }, 0);
      for (const { record } of streams()) gauge.inc({ status: kindOf(record.status) ?? "failed" });
    });
    this.#gauge("sluice_lag_bytes", "Bytes on disk that are not in S3.", ["watch"], (facts, gauge) => {
      for (const { name, unopenedBytes } of facts.watches()) gauge.set({ watch: name }, unopenedBytes);
      for (const { watch, unshippedBytes } of facts.streams()) gauge.inc({ watch }, unshippedBytes);
    });
    this.#gauge(
      "sluice_unprotected_bytes",
      "Bytes on disk that the loss of the host would lose: those not in S3, and those of parts in doubt.",
      ["watch"],
      (facts, gauge) => {
        for (const { name, unopenedBytes } of facts.watches()) gauge.set({ watch: name }, unopenedBytes);
        for (const { watch, unprotectedBytes } of facts.streams()) gauge.inc({ watch }, unprotectedBytes);
      },
    );
    this.#gauge(
      "sluice_tail_window_seconds",
      "The window of the safeguard, as it is set; absent while it is off.",
      [],
      (facts, gauge) => setOrClear(gauge, inSeconds(facts.safeguard()?.windowMs)),
    );
    this.#gauge(
      "sluice_tail_window_reached_seconds",
      "The longest that a byte of a growing file was unprotected of late, where the safeguard is on.",
      [],
      (facts, gauge) => setOrClear(gauge, inSeconds(facts.safeguard()?.reachedMs)),
    );
    this.#gauge(
      "sluice_lag_seconds",
      "Age of the oldest byte that is not protected.",
      ["watch"],
      (facts, gauge) => {
        for (const [watch, seconds] of lagSeconds(facts)) gauge.set({ watch }, seconds);
      },
    );
    this.#gauge(
      "sluice_uploads_near_abort",
      "Uploads that the store will abort soon, or before they can be completed at the current rate.",
      ["watch"],
      (facts, gauge) => {
        for (const { name } of facts.watches()) gauge.set({ watch: name }, 0);
        for (const { watch, record } of facts.streams()) {
          if ((uploadAge(record, this.#clock.wallMs())?.outlook ?? "ample") !== "ample") gauge.inc({ watch });
        }
      },
    );
    this.#gauge(
      "sluice_watch_offline",
      "1 while the watch's volume is missing.",
      ["watch"],
      (facts, gauge) => {
        for (const { name, offline } of facts.watches()) gauge.set({ watch: name }, offline ? 1 : 0);
      },
    );
    this.#space();
    this.#gauge(
      "sluice_hardlinks_refused",
      "Files that SLUICE_HARDLINKS leaves alone, at the last walk.",
      ["watch"],
      (facts, gauge) => {
        for (const { name, refusedLinks } of facts.watches()) gauge.set({ watch: name }, refusedLinks);
      },
    );
    this.#gauge(
      "sluice_store_blocked",
      "1 while the store is unavailable or refuses the credentials.",
      [],
      (facts, gauge) => {
        gauge.set(facts.storeBlocked() ? 1 : 0);
      },
    );
    this.#gauge("sluice_redis_blocked", "1 while Redis stores no checkpoints.", [], (facts, gauge) => {
      gauge.set(facts.redisBlocked() ? 1 : 0);
    });
    this.#gauge("sluice_parts_in_flight", "Parts being sent.", [], (facts, gauge) => {
      gauge.set([...facts.streams()].reduce((sum, { partsInFlight }) => sum + partsInFlight, 0));
    });
    // One read for both gauges, as a scrape asks for both.
    let orphans: ReturnType<MetricsFacts["orphans"]> | undefined;
    this.#gauge(
      "sluice_orphan_uploads",
      "Open uploads no stream owns, at the last scan.",
      [],
      async (facts, gauge) => {
        orphans = facts.orphans();
        setOrClear(gauge, (await orphans)?.uploads);
      },
    );
    this.#gauge("sluice_orphan_bytes", "Bytes of their parts.", [], async (facts, gauge) => {
      setOrClear(gauge, (await (orphans ?? facts.orphans()))?.bytes);
    });
  }

  #space(): void {
    const gauge = (name: string, help: string, value: (space: WatchSpace) => number | undefined): void =>
      this.#gauge(name, help, ["watch"], (facts, to) => {
        for (const { name: watch, space } of facts.watches()) {
          const known = space && value(space);
          if (known !== undefined) to.set({ watch }, known);
        }
      });
    gauge(
      "sluice_watch_free_bytes",
      "What users other than root may still write to the watch's disk; absent if it is not known.",
      ({ free_bytes }) => free_bytes,
    );
    gauge(
      "sluice_watch_full_seconds",
      "Time until nothing is free at the rate of the last half hour; absent if the disk does not fill.",
      ({ full_in_ms }) => inSeconds(full_in_ms),
    );
    gauge(
      "sluice_watch_filling",
      "1 while SLUICE_FREE_SPACE_WARNING asks for a warning.",
      ({ filling_since_utc }) => (filling_since_utc === undefined ? 0 : 1),
    );
  }

  #gauge(name: string, help: string, labelNames: string[], read: Read): void {
    const facts = (): MetricsFacts | undefined => this.#facts;
    new Gauge({
      name,
      help,
      labelNames,
      registers: [this.registry],
      async collect() {
        const now = facts();
        this.reset();
        if (now) await read(now, this);
        else if (labelNames.length === 0) this.remove();
      },
    });
  }
}

function inSeconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1_000;
}

/** An unknown value is not reported as 0. */
function setOrClear(gauge: Gauge, value: number | undefined): void {
  if (value === undefined) gauge.remove();
  else gauge.set(value);
}

function lagSeconds(facts: MetricsFacts): Map<string, number> {
  const lag = new Map([...facts.watches()].map(({ name }) => [name, 0]));
  for (const { watch, unprotectedMs = 0 } of facts.streams())
    lag.set(watch, Math.max(lag.get(watch) ?? 0, unprotectedMs / 1_000));
  return lag;
}
