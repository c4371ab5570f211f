/** What each worker reports of itself beside its lease: its settings, its last errors, how long its parts took. */
import type { SchemaContext } from "./context.ts";
import { KEPT } from "./kept.ts";
import { fromBuffers, toFlatArgs } from "./records/text.ts";
import { parseWorkerReport, workerReportFields, type WorkerReport } from "./records/worker-report.ts";
import { callRedis, callTransaction } from "./replies.ts";

export class WorkerReports {
  readonly #context: SchemaContext;

  constructor(context: SchemaContext) {
    this.#context = context;
  }

  async load(workerId: string): Promise<Partial<WorkerReport>> {
    const { redis, keys } = this.#context;
    const hash = await callRedis("read a worker's report", () =>
      redis.hgetallBuffer(keys.workerReport(workerId)),
    );
    return parseWorkerReport(fromBuffers(hash));
  }

  /** Replaces the whole report. */
  async save(workerId: string, report: WorkerReport): Promise<void> {
    const { redis, keys } = this.#context;
    const key = keys.workerReport(workerId);
    await callTransaction(
      "save a worker's report",
      redis
        .multi()
        .del(key)
        .hset(key, ...toFlatArgs(workerReportFields(report)))
        .pexpire(key, KEPT.deadWorkerMs),
    );
  }
}
