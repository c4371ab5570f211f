/**
 * What the worker reports of itself beside its lease: its settings with their origins, its last troubles, how long its
 * parts took. Written when it has changed, and now and then without a change, because Redis may have lost it.
 */
import { CheckpointError, type Clock } from "@sluice/core";
import type { ReportedSetting, WorkerReport, WorkerReports } from "@sluice/redis-schema";
import type { Service } from "../start/service.ts";
import { repeat } from "../streams/repeat.ts";
import type { SupervisorLog } from "../streams/supervisor.ts";
import type { PartDurations } from "./prometheus-observer.ts";
import type { RecentTroubles } from "./recent-troubles.ts";

const LOOK_EVERY_MS = 2_000;
/** Parts alone change with every part: they are reported less often. */
const PARTS_EVERY_MS = 10_000;
const ANYWAY_EVERY_MS = 60_000;

export interface SelfReportDeps {
  reports: Pick<WorkerReports, "load" | "save">;
  workerId: string;
  settings: readonly ReportedSetting[];
  troubles: RecentTroubles;
  partSeconds: PartDurations;
  startedMs: number;
  /** Whether this process holds the id. */
  mayWrite(): boolean;
  clock: Clock;
  log: SupervisorLog;
  onFault(error: unknown): void;
}

interface Written {
  atMs: number;
  troubles: number;
  parts: number;
}

export class SelfReport implements Service {
  readonly name = "self-report";
  readonly #deps: SelfReportDeps;
  readonly #stop = new AbortController();
  #written: Written | undefined;
  #knowsEarlier = false;
  #running: Promise<void> | undefined;

  constructor(deps: SelfReportDeps) {
    this.#deps = deps;
  }

  async start(signal: AbortSignal): Promise<void> {
    const { clock, log, onFault } = this.#deps;
    const stop = AbortSignal.any([signal, this.#stop.signal]);
    this.#running = repeat({
      name: "the worker's report of itself",
      everyMs: LOOK_EVERY_MS,
      atOnce: true,
      work: () => this.look(),
      ended: () => stop.aborted,
      clock,
      signal: stop,
      log,
    }).catch(onFault);
  }

  /** The last troubles are reported at the end too: a fatal one is among them. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort();
    await this.#running;
    await this.look().catch((error: unknown) => {
      // The log has said what is lost with it.
      if (!(error instanceof CheckpointError)) throw error;
    });
  }

  async look(): Promise<void> {
    const { reports, workerId, troubles, partSeconds, settings, startedMs, clock, mayWrite } = this.#deps;
    if (!mayWrite()) return;
    if (!this.#knowsEarlier) {
      troubles.remember((await reports.load(workerId)).troubles ?? []);
      this.#knowsEarlier = true;
    }
    const { buckets, seconds } = await partSeconds();
    const parts = buckets.reduce((sum, bucket) => sum + bucket.parts, 0);
    const now: Written = { atMs: clock.monotonicMs(), troubles: troubles.version, parts };
    if (!isDue(now, this.#written)) return;
    const report: WorkerReport = {
      settings,
      troubles: troubles.list,
      ...(parts === 0 ? {} : { part_seconds: { since: Math.round(startedMs), buckets, seconds } }),
    };
    await reports.save(workerId, report);
    this.#written = now;
  }
}

export function isDue(now: Written, before: Written | undefined): boolean {
  if (before === undefined || now.troubles !== before.troubles) return true;
  const ageMs = now.atMs - before.atMs;
  return ageMs >= ANYWAY_EVERY_MS || (ageMs >= PARTS_EVERY_MS && now.parts !== before.parts);
}
