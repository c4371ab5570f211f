/** `sluice_*`: counters fed by the observer, gauges read when they are asked for. Labels are few and bounded. */
import { KINDS, kindOf, type Observer, type StreamRecord } from "@sluice/core";
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from "prom-client";
import type { Supervisor } from "../streams/supervisor.ts";

export interface MetricsFacts {
  supervisor: Supervisor;
  blocked(): boolean;
  inFlightParts(): number;
  offlineWatches(): number;
}

export class Metrics {
  readonly registry = new Registry();
  readonly observer: Observer;
  #facts: MetricsFacts | undefined;

  constructor(labels: { version: string; source: string }) {
    this.registry.setDefaultLabels({ source: labels.source });
    collectDefaultMetrics({ register: this.registry, prefix: "sluice_", eventLoopMonitoringPrecision: 10 });
    this.observer = this.#counters();
    this.#gauges();
    new Gauge({
      name: "sluice_build_info",
      help: "Always 1.",
      labelNames: ["version"],
      registers: [this.registry],
    }).set({ version: labels.version }, 1);
  }

  /** The worker runs: gauges have something to read. */
  observe(facts: MetricsFacts): void {
    this.#facts = facts;
  }

  #counters(): Observer {
    const registers = [this.registry];
    const bytes = new Counter({
      name: "sluice_uploaded_bytes_total",
      help: "Bytes of parts and small files that S3 acknowledged.",
      registers,
    });
    const seconds = new Histogram({
      name: "sluice_part_upload_seconds",
      help: "Time from the first byte of a part's first attempt to its checkpoint.",
      buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300],
      registers,
    });
    const retries = new Counter({
      name: "sluice_retries_total",
      help: "Requests sent again, by S3's or the transport's code.",
      labelNames: ["reason"],
      registers,
    });
    const adopted = new Counter({
      name: "sluice_parts_adopted_total",
      help: "Parts found in S3 that the checkpoint had lost.",
      registers,
    });
    const failed = new Counter({
      name: "sluice_failed_total",
      help: "Streams that failed, by reason.",
      labelNames: ["reason"],
      registers,
    });
    const completed = new Counter({ name: "sluice_completed_total", help: "Streams completed.", registers });
    const lastPart = new Gauge({
      name: "sluice_last_part_timestamp_seconds",
      help: "When S3 last acknowledged a part.",
      registers,
    });
    const reasons = new BoundedLabels(40);
    return {
      opened: () => undefined,
      moved: (stream) => {
        const kind = kindOf(stream.status);
        if (kind === "completed") completed.inc();
        if (kind === "failed") failed.inc({ reason: stream.failure_reason ?? "unknown" });
        if (kind === "s3_completed" && stream.s3_upload_id === undefined) bytes.inc(stream.file_size);
      },
      partAcknowledged: (_stream, part) => {
        bytes.inc(part.bytes);
        seconds.observe(part.ms / 1_000);
        lastPart.set(Date.now() / 1_000);
      },
      partAdopted: () => adopted.inc(),
      retried: (_stream, _what, reason) => retries.inc({ reason: reasons.bound(reason) }),
      decided: () => undefined,
      storeTrouble: () => undefined,
      storeHealed: () => undefined,
    };
  }

  #gauges(): void {
    const registers = [this.registry];
    const read = (name: string, help: string, value: (facts: MetricsFacts) => number): void => {
      const facts = (): MetricsFacts | undefined => this.#facts;
      new Gauge({
        name,
        help,
        registers,
        collect() {
          const now = facts();
          if (now) this.set(value(now));
        },
      });
    };
    read("sluice_lag_bytes", "Bytes on disk that are not in S3.", ({ supervisor }) => lagBytes(supervisor));
    read("sluice_lag_seconds", "Age of the oldest byte that is not in S3.", ({ supervisor }) =>
      lagSeconds(supervisor),
    );
    read("sluice_store_blocked", "1 while the store or its credentials are in trouble.", ({ blocked }) =>
      blocked() ? 1 : 0,
    );
    read("sluice_parts_in_flight", "Parts being sent.", ({ inFlightParts }) => inFlightParts());
    read("sluice_watches_offline", "Watches whose volume is away.", ({ offlineWatches }) => offlineWatches());
    const facts = (): MetricsFacts | undefined => this.#facts;
    new Gauge({
      name: "sluice_streams",
      help: "Streams this worker holds, by state.",
      labelNames: ["state"],
      registers,
      collect() {
        for (const kind of KINDS) this.set({ state: kind }, 0);
        for (const { processor } of facts()?.supervisor.running.values() ?? []) {
          this.inc({ state: kindOf(processor.record.status) ?? "failed" });
        }
      },
    });
  }
}

/** Codes come from the store: past so many different ones they are counted as one. */
class BoundedLabels {
  readonly #known = new Set<string>();
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  bound(label: string): string {
    if (this.#known.has(label)) return label;
    if (this.#known.size >= this.#most) return "other";
    this.#known.add(label);
    return label;
  }
}

function lagBytes(supervisor: Supervisor): number {
  let bytes = 0;
  for (const { processor } of supervisor.running.values()) bytes += unshipped(processor.record);
  return bytes;
}

function lagSeconds(supervisor: Supervisor): number {
  let oldestMs = Date.now();
  for (const { processor } of supervisor.running.values()) {
    if (unshipped(processor.record) > 0)
      oldestMs = Math.min(oldestMs, Date.parse(processor.record.last_activity_at_utc));
  }
  return (Date.now() - oldestMs) / 1_000;
}

function unshipped(record: StreamRecord): number {
  return record.status === "s3_completed" ? 0 : Math.max(0, record.file_size - record.bytes_sent);
}
