/**
 * Recovery when Redis is lost or restored from an older state (a snapshot, a failover that lost the latest writes),
 * before the start or while the worker runs. What this worker has in memory takes precedence over Redis and is written
 * back first; then every file and upload is looked up in S3 before anything is sent, and until that is done nothing is
 * cleaned up.
 */
import { CheckpointError, type Clock, type Recovery as RecoveryPort } from "@sluice/core";
import { beginEpoch, endEpoch, readEpoch, type SchemaContext } from "@sluice/redis-schema";
import { trouble } from "@sluice/control/troubles";
import type { SupervisorLog } from "../streams/supervisor.ts";

export interface RecoveryDeps {
  context: SchemaContext;
  newId(): string;
  clock: Clock;
  log: SupervisorLog;
  lease(): { renew(): Promise<void>; readonly heldSinceMs: number };
  /** Writes back what this worker knows, and reads what else Redis has now. */
  startOver(): Promise<void>;
  /** Resolves when every file has been checked, and its stream has asked S3. */
  inspectAll(): Promise<void>;
}

const TRY_AGAIN_MS = 1_000;

export class Recovery implements RecoveryPort {
  /** Read by every stream when it starts. */
  recognise = false;
  readonly #deps: RecoveryDeps;
  /** Id of the epoch whose records this worker knows. */
  #epoch: string | undefined;
  /** The worker runs: from now on, losses of Redis happen while it runs. */
  #begun = false;
  #lost = Promise.withResolvers<void>();
  /** How often Redis lost something while this worker ran, and how many of these losses were repaired. */
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
        "Redis is empty, or may be older than it was: every file is looked up in S3 first",
      );
  }

  /**
   * Called before each renewal of the lease: an emptied Redis has lost the lease too, and opens no streams until it is
   * taken again, so no stream starts here unnoticed. A different epoch means that it was emptied and that another
   * worker has finished its recovery. Resolves with whether something was lost.
   */
  async check(): Promise<boolean> {
    if (this.recognise || !this.#begun) return false;
    const now = await readEpoch(this.#deps.context);
    if (now?.id === this.#epoch) return false;
    this.#notice("Redis was emptied, or came back older than it was");
    return true;
  }

  /** Called when a renewal of the lease found it. At the start of a worker, `begin` notices it by the missing epoch. */
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
    // Other workers have not noticed it.
    await endEpoch(this.#deps.context);
    this.#notice("Redis came back older than it was: it has less of a stream than it confirmed");
    return true;
  }

  #notice(what: string): void {
    this.#losses += 1;
    if (this.recognise) return;
    this.recognise = true;
    this.#deps.log.warn(
      { detail: what, ...trouble("redis_lost_writes") },
      `${what}: what this worker knows is written back, every file and upload is looked up in S3, and parts that exist there are not sent again`,
    );
    this.#lost.resolve();
  }

  /** Completes the recovery that the worker started with, if any, and each later one. */
  async run(signal: AbortSignal): Promise<void> {
    if (this.recognise) await this.#untilRedisAnswers(() => this.#settle(), signal);
    for (;;) {
      await Promise.race([this.#lost.promise, aborted(signal)]);
      if (signal.aborted) return;
      this.#lost = Promise.withResolvers<void>();
      await this.#untilRedisAnswers(() => this.#settle(), signal);
      this.#deps.log.info({}, "every file and upload has been looked up in S3; normal operation resumes");
    }
  }

  async #settle(): Promise<void> {
    const { context, newId, inspectAll, startOver } = this.#deps;
    do {
      const losses = this.#losses;
      if (losses > this.#madeGood) await startOver();
      this.#madeGood = losses;
      await inspectAll();
    } while (this.#losses > this.#madeGood);
    // Only now, so that a worker killed during the recovery starts it again.
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
