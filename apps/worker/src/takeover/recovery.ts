/**
 * Redis may vanish or come back older (a snapshot was restored, a failover lost its tail), before the start or under a
 * running worker. What this worker holds in memory is believed over Redis and written back first; then every file and
 * upload is looked for in S3 before anything is sent, and until that is over nothing is cleaned up.
 */
import { CheckpointError, type Clock, type Recovery as RecoveryPort } from "@sluice/core";
import { beginEpoch, endEpoch, readEpoch, type SchemaContext } from "@sluice/redis-schema";
import type { SupervisorLog } from "../streams/supervisor.ts";

export interface RecoveryDeps {
  context: SchemaContext;
  newId(): string;
  clock: Clock;
  log: SupervisorLog;
  lease(): { renew(): Promise<void>; readonly heldSinceMs: number };
  /** Writes back what this worker knows, and reads what else Redis holds now. */
  startAnew(): Promise<void>;
  /** Resolves when every file has been looked at, and its stream has asked S3. */
  lookAtAll(): Promise<void>;
}

const TRY_AGAIN_MS = 1_000;

export class Recovery implements RecoveryPort {
  /** Read by every stream as it begins. */
  recognise = false;
  readonly #deps: RecoveryDeps;
  /** Id of the epoch whose records this worker knows. */
  #epoch: string | undefined;
  /** The worker is at work: what happens to Redis from now on happens under it. */
  #begun = false;
  #lost = Promise.withResolvers<void>();
  /** Times Redis lost something under this worker, and how many of them were made good. */
  #losses = 0;
  #madeGood = 0;

  constructor(deps: RecoveryDeps) {
    this.#deps = deps;
  }

  async begin(): Promise<void> {
    this.#epoch = (await readEpoch(this.#deps.context))?.id;
    this.recognise = this.#epoch === undefined;
    this.#begun = true;
    if (this.recognise)
      this.#deps.log.info(
        {},
        "Redis is empty, or may be older than it was: every file is looked for in S3 first",
      );
  }

  /**
   * Before each renewal of the lease: an emptied Redis has lost that too, and until it is taken again opens nothing. So
   * no stream begins here without knowing. Another epoch: it was emptied, and another worker is done with its recovery.
   * Resolves with whether it is so.
   */
  async check(): Promise<boolean> {
    if (this.recognise || !this.#begun) return false;
    const now = await readEpoch(this.#deps.context);
    if (now?.id === this.#epoch) return false;
    this.#notice("Redis was emptied, or came back older than it was");
    return true;
  }

  /** A renewal of the lease found it. At the start of a worker, `begin` sees the same by the missing epoch. */
  renewalFoundOlder(how: string): void {
    if (this.#begun) this.#notice(`Redis came back, and may be older than it was: ${how}`);
  }

  async wentBack(seen: { gone: boolean; confirmedAtMs: number }): Promise<boolean> {
    if (seen.gone && !this.recognise) {
      const lease = this.#deps.lease();
      await lease.renew();
      if (!this.recognise && lease.heldSinceMs > seen.confirmedAtMs) return false;
    }
    if (this.recognise) return true;
    // Other workers have seen nothing of it.
    await endEpoch(this.#deps.context);
    this.#notice("Redis came back older than it was: it has less of a stream than it confirmed");
    return true;
  }

  #notice(what: string): void {
    this.#losses += 1;
    if (this.recognise) return;
    this.recognise = true;
    this.#deps.log.warn(
      {},
      `${what}: what this worker knows is written back, every file and upload is looked for in S3; what is there is not sent again`,
    );
    this.#lost.resolve();
  }

  /** Settles the recovery the worker started with, if any, and each that becomes necessary later. */
  async run(signal: AbortSignal): Promise<void> {
    if (this.recognise) await this.#untilRedisAnswers(() => this.#settle(), signal);
    for (;;) {
      await Promise.race([this.#lost.promise, aborted(signal)]);
      if (signal.aborted) return;
      this.#lost = Promise.withResolvers<void>();
      await this.#untilRedisAnswers(() => this.#settle(), signal);
      this.#deps.log.info({}, "every file and upload has been looked for in S3; work goes on as before");
    }
  }

  async #settle(): Promise<void> {
    const { context, newId, lookAtAll, startAnew } = this.#deps;
    do {
      const losses = this.#losses;
      if (losses > this.#madeGood) await startAnew();
      this.#madeGood = losses;
      await lookAtAll();
    } while (this.#losses > this.#madeGood);
    // Only now: a worker killed in the middle of the recovery begins it again.
    this.#epoch = (await beginEpoch(context, newId())).id;
    this.recognise = false;
  }

  async #untilRedisAnswers(work: () => Promise<void>, signal: AbortSignal): Promise<void> {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof CheckpointError)) throw error;
        await this.#deps.clock.sleep(TRY_AGAIN_MS, signal);
      }
    }
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
