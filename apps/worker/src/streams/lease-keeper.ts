/**
 * The worker's lease in Redis, renewed well before it lapses. On the monotonic clock it also knows when it has not been
 * renewed for too long: then nothing is completed, whatever Redis would say later. Each renewal also finds out whether
 * Redis keeps what it is told.
 */
import { LIMITS, CheckpointError, type Clock, type Lease } from "@sluice/core";
import type { WorkerRecord, WorkerRegistry } from "@sluice/redis-schema";
import { Outage } from "../outage.ts";
import type { Service } from "../service.ts";
import { isKnownDead, type ProcessIdentity } from "./process-identity.ts";

export interface LeaseDeps {
  registry: WorkerRegistry;
  workerId: string;
  identity: ProcessIdentity;
  clock: Clock;
  /** What the worker says of itself at each renewal. */
  describe(): Omit<WorkerRecord, keyof ProcessIdentity | "renewed_at_utc">;
  /** Before a lease that is held is renewed, or taken again where it was lost. */
  beforeRenewal?(): Promise<void>;
  /** Another process runs under our id: this one must end. */
  onLost(detail: string): void;
  log: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
}

export class LeaseHeldError extends Error {
  override readonly name = "LeaseHeldError";
}

export class LeaseKeeper implements Service, Lease {
  readonly name = "lease";
  readonly #deps: LeaseDeps;
  #renewedAtMs = -Infinity;
  #running: Promise<void> | undefined;
  readonly #outage: Outage;
  readonly #stop = new AbortController();

  constructor(deps: LeaseDeps) {
    this.#deps = deps;
    this.#outage = new Outage(deps.clock, deps.log, {
      begins: "Redis is in trouble: no checkpoint is kept; streams wait, nothing fails",
      over: "Redis keeps checkpoints again",
    });
  }

  /** Why Redis keeps no checkpoints, in plain words; undefined while it does. */
  get trouble(): string | undefined {
    return this.#outage.reason;
  }

  fresh(): boolean {
    return this.#deps.clock.monotonicMs() - this.#renewedAtMs < LIMITS.leaseSelfFenceMs;
  }

  /** Rejects with LeaseHeldError when a living process holds the id. */
  async start(signal: AbortSignal): Promise<void> {
    await this.#take(signal);
    this.#running = this.#keep(AbortSignal.any([signal, this.#stop.signal]));
  }

  /** Renews now: the worker's state changed and others should see it. */
  async renew(): Promise<void> {
    await this.#renew([]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort();
    await this.#running;
    await this.#deps.registry
      .unregister(this.#deps.workerId, this.#deps.identity.nonce)
      .catch((error: unknown) => {
        if (!(error instanceof CheckpointError)) throw error;
        this.#deps.log.warn({ err: error.message }, "the lease could not be given up; it lapses by itself");
      });
  }

  /**
   * A lease of a process that cannot be seen is waited out for one TTL; only one that is renewed meanwhile refuses the
   * start.
   */
  async #take(signal: AbortSignal): Promise<void> {
    const { clock, log, workerId } = this.#deps;
    const deadlineMs = clock.monotonicMs() + LIMITS.leaseTtlMs + LIMITS.leaseRenewEveryMs;
    let firstRenewal: string | undefined;
    for (let dead: string[] = []; ;) {
      signal.throwIfAborted();
      const outcome = await this.#renew(dead);
      if (outcome.kind !== "held") {
        if (this.#learn(outcome.refusal)) await this.#renew([]);
        return;
      }
      const lease = outcome.lease.kind === "ok" ? outcome.lease.value : undefined;
      if (lease && isKnownDead(lease, this.#deps.identity)) {
        dead = [lease.nonce];
        continue;
      }
      firstRenewal ??= lease?.renewed_at_utc;
      if ((lease && lease.renewed_at_utc !== firstRenewal) || clock.monotonicMs() > deadlineMs) {
        throw new LeaseHeldError(
          `worker id ${workerId} is held by a living process (pid ${lease?.pid} on ${lease?.host}): give this worker another SLUICE_WORKER_ID, or stop that one`,
        );
      }
      log.info(
        { worker: workerId, pid: lease?.pid, host: lease?.host },
        "an earlier process may still hold this worker id; waiting for its lease to lapse",
      );
      await clock.sleep(1_000, signal);
    }
  }

  async #keep(signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    while (!signal.aborted) {
      await clock.sleep(LIMITS.leaseRenewEveryMs, signal);
      if (signal.aborted) return;
      try {
        await this.#deps.beforeRenewal?.();
        const outcome = await this.#renew([]);
        if (outcome.kind !== "held") {
          // What the renewal has just found out belongs into the lease.
          if (this.#learn(outcome.refusal)) await this.#renew([]);
          continue;
        }
        this.#renewedAtMs = -Infinity;
        const pid = outcome.lease.kind === "ok" ? outcome.lease.value.pid : "?";
        this.#deps.onLost(`another process (pid ${pid}) runs under this worker id`);
        return;
      } catch (error) {
        if (!(error instanceof CheckpointError)) throw error;
        this.#learn(error.message);
      }
    }
  }

  /** Whether that is news. */
  #learn(trouble: string | undefined): boolean {
    const before = this.trouble;
    if (trouble === undefined) this.#outage.over();
    else this.#outage.during(trouble);
    return this.trouble !== before;
  }

  async #renew(dead: readonly string[]) {
    const { registry, workerId, identity, clock, describe } = this.#deps;
    // Counted from before the request: the lease cannot lapse earlier than this says.
    const askedAtMs = clock.monotonicMs();
    const worker: WorkerRecord = {
      ...identity,
      ...describe(),
      renewed_at_utc: new Date(clock.wallMs()).toISOString(),
    };
    const outcome = await registry.renew(workerId, worker, dead);
    if (outcome.kind !== "held") this.#renewedAtMs = askedAtMs;
    return outcome;
  }
}
