/**
 * The worker's lease in Redis, renewed well before it lapses. From its own clocks the worker also knows when it has not
 * been renewed for too long: then nothing is completed, whatever Redis would say later. Each renewal also checks
 * whether Redis stores what it is sent, and still has what it was sent before.
 */
import { EXIT_BAD_CONFIG } from "@sluice/config";
import { LIMITS, CheckpointError, type Clock, type Lease } from "@sluice/core";
import type { LeaseOutcome, RememberedRenewals, WorkerRecord, WorkerRegistry } from "@sluice/redis-schema";
import { Outage } from "../observe/outage.ts";
import type { Service } from "../start/service.ts";
import type { ProcessIdentity } from "./process-identity.ts";

export interface LeaseDeps {
  registry: WorkerRegistry;
  workerId: string;
  identity: ProcessIdentity;
  isGone(other: Omit<ProcessIdentity, "nonce">): boolean;
  /** The nonce of an earlier keeper of this process, whose lease is taken over at once. */
  waitedUnder?: string | undefined;
  clock: Clock;
  /** What the worker reports with each renewal. */
  describe(): Omit<WorkerRecord, keyof ProcessIdentity | "renewed_at_utc">;
  /**
   * Called before a held lease is renewed, or taken again after a loss. Resolves with whether Redis is known to be
   * another one.
   */
  beforeRenewal?(): Promise<boolean>;
  /**
   * A renewal found that Redis is, or may be, older than what it had acknowledged. Called before the renewal counts as
   * done.
   */
  onWentBack?(how: string): void;
  /** Another process runs under our id: this one must shut down. */
  onLost(detail: string): void;
  log: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
}

const ONE_EACH = "give this worker another SLUICE_WORKER_ID, or stop that one";

/** Maximum number of unanswered renewals remembered, which Redis may have carried out. */
const TIMES_KEPT = 1_000;

/**
 * Time since the last renewal on both clocks. Linux's monotonic clock stops while the machine is suspended, but the
 * lease in Redis does not; the wall clock can be set. So if either says that too much time has passed, it counts.
 */
export function leaseIsFresh(since: { monotonicMs: number; wallMs: number }): boolean {
  return since.monotonicMs < LIMITS.leaseSelfFenceMs && since.wallMs < LIMITS.leaseSelfFenceMs;
}

/** The id belongs to another process. As for every refused start, a setting must be changed. */
export class LeaseHeldError extends Error {
  override readonly name = "LeaseHeldError";
  readonly exitCode = EXIT_BAD_CONFIG;

  constructor(workerId: string, lease: WorkerRecord | undefined) {
    const who = lease
      ? `process ${lease.pid} on host ${lease.host}, since ${lease.started_at_utc}`
      : "another process";
    super(`The worker cannot start:\n- the worker id ${workerId} is held by ${who}: ${ONE_EACH}`);
  }
}

export class LeaseKeeper implements Service, Lease {
  readonly name = "lease";
  readonly #deps: LeaseDeps;
  #renewedAtMs = -Infinity;
  #renewedWallMs = -Infinity;
  #heldSinceMs = Infinity;
  #remembered: RememberedRenewals | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #running: Promise<void> | undefined;
  readonly #outage: Outage;
  readonly #stop = new AbortController();

  constructor(deps: LeaseDeps) {
    this.#deps = deps;
    this.#outage = new Outage(deps.clock, deps.log, {
      begins: "Redis is unavailable: no checkpoint is stored; streams wait, none fails",
      over: "Redis stores checkpoints again",
      code: "redis_no_checkpoints",
    });
  }

  /** Why Redis stores no checkpoints; undefined while it does. */
  get trouble(): string | undefined {
    return this.#outage.reason;
  }

  fresh(): boolean {
    const { clock } = this.#deps;
    return leaseIsFresh({
      monotonicMs: clock.monotonicMs() - this.#renewedAtMs,
      wallMs: clock.wallMs() - this.#renewedWallMs,
    });
  }

  /**
   * Since when the lease has been held without a gap (monotonic): no other worker can have taken one of our streams
   * since.
   */
  get heldSinceMs(): number {
    return this.#heldSinceMs;
  }

  /** Rejects with LeaseHeldError if a live process holds the id. */
  async start(signal: AbortSignal): Promise<void> {
    await this.#take(signal);
    this.#running = this.#keep(AbortSignal.any([signal, this.#stop.signal]));
  }

  /** Renews now, to publish a changed state or to find out whether Redis lost something. */
  async renew(): Promise<void> {
    const { kind } = await this.#askAndRenew();
    if (kind === "held") throw new CheckpointError(`another process runs under this worker id: ${ONE_EACH}`);
  }

  get nonce(): string {
    return this.#deps.identity.nonce;
  }

  /** Another keeper of this process takes the lease: this one stops renewing and does not release it. */
  async handOver(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort();
    await this.#running;
    await this.#deps.registry
      .unregister(this.#deps.workerId, this.#deps.identity.nonce)
      .catch((error: unknown) => {
        if (!(error instanceof CheckpointError)) throw error;
        this.#deps.log.warn({ err: error.message }, "the lease could not be released; it will lapse");
      });
  }

  /**
   * Waits for one TTL if the process that holds the lease cannot be checked. Only a lease that is renewed meanwhile
   * refuses the start.
   */
  async #take(signal: AbortSignal): Promise<void> {
    const { clock, log, waitedUnder, workerId } = this.#deps;
    const deadlineMs = clock.monotonicMs() + LIMITS.leaseTtlMs + LIMITS.leaseRenewEveryMs;
    let firstRenewal: string | undefined;
    for (let dead = waitedUnder === undefined ? [] : [waitedUnder]; ;) {
      signal.throwIfAborted();
      const outcome = await this.#renew(dead);
      if (outcome.kind !== "held") {
        if (this.#learn(outcome.refusal)) await this.#renew([]);
        return;
      }
      const lease = outcome.lease.kind === "ok" ? outcome.lease.value : undefined;
      if (lease && this.#deps.isGone(lease)) {
        dead = [lease.nonce];
        continue;
      }
      firstRenewal ??= lease?.renewed_at_utc;
      if ((lease && lease.renewed_at_utc !== firstRenewal) || clock.monotonicMs() > deadlineMs) {
        throw new LeaseHeldError(workerId, lease);
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
        const outcome = await this.#askAndRenew();
        if (outcome.kind !== "held") {
          // What the renewal has just found out must be part of the lease.
          if (this.#learn(outcome.refusal)) await this.#renew([]);
          continue;
        }
        this.#renewedAtMs = -Infinity;
        const { lease } = outcome;
        const who =
          lease.kind === "ok" ? `process ${lease.value.pid} on host ${lease.value.host}` : "another process";
        this.#deps.onLost(`${who} runs under this worker id: ${ONE_EACH}`);
        return;
      } catch (error) {
        if (!(error instanceof CheckpointError)) throw error;
        this.#learn(error.message);
      }
    }
  }

  /** Returns whether that changed. */
  #learn(trouble: string | undefined): boolean {
    const before = this.trouble;
    if (trouble === undefined) this.#outage.over();
    else this.#outage.during(trouble);
    return this.trouble !== before;
  }

  async #askAndRenew(): Promise<LeaseOutcome> {
    // What was remembered concerns the former Redis.
    if (await this.#deps.beforeRenewal?.()) this.#remembered = undefined;
    const outcome = await this.#renew([]);
    if (outcome.kind !== "held" || outcome.lease.kind !== "ok") return outcome;
    const { value: lease } = outcome.lease;
    // Redis came back from before this process took the lease of one that has ended.
    return this.#deps.isGone(lease) ? await this.#renew([lease.nonce]) : outcome;
  }

  /** One after another, because each sends Redis what it confirmed to the one before. */
  #renew(dead: readonly string[]): Promise<LeaseOutcome> {
    const mine = this.#last.then(() => this.#renewNow(dead));
    this.#last = mine.catch(() => undefined);
    return mine;
  }

  async #renewNow(dead: readonly string[]): Promise<LeaseOutcome> {
    const { registry, workerId, identity, clock, describe } = this.#deps;
    // Counted from before the request, because the lease cannot lapse earlier than that.
    const askedAtMs = clock.monotonicMs();
    const now = clock.wallMs();
    const worker: WorkerRecord = { ...identity, ...describe(), renewed_at_utc: new Date(now).toISOString() };
    const remembered = this.#remembered;
    if (remembered)
      this.#remembered = { ...remembered, times: [...remembered.times, now].slice(-TIMES_KEPT) };
    const outcome = await registry.renew(workerId, worker, dead, { remembered, now });
    if (outcome.kind === "held") return outcome;
    this.#remembered = { renewals: outcome.renewals, times: [now] };
    if (outcome.wentBack !== undefined) this.#deps.onWentBack?.(outcome.wentBack);
    // The reply to the renewal that took it may have been lost.
    if (outcome.kind === "taken" || this.#heldSinceMs === Infinity) this.#heldSinceMs = askedAtMs;
    this.#renewedAtMs = askedAtMs;
    this.#renewedWallMs = now;
    return outcome;
  }
}
