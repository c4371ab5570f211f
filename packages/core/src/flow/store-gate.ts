/**
 * Store trouble is the worker's, not a stream's: while the store is in trouble every request of the worker waits here,
 * and one request at a time tries whether it has healed. So 2,000 streams make no more noise in an outage than one.
 */
import { StoppedError, StoreError, type StoreTrouble } from "../errors.ts";
import type { Clock } from "../ports/clock.ts";
import type { Observer } from "../ports/observer.ts";
import { backoffMs } from "./retry.ts";

const CLOSES: ReadonlySet<StoreTrouble> = new Set(["unreachable", "throttled", "credentials", "bucket"]);

export interface GateState {
  blocked: boolean;
  reason?: string;
  /** Monotonic ms of the first failure of this trouble. */
  sinceMs?: number;
}

export class StoreGate {
  readonly #clock: Clock;
  readonly #observer: Observer;
  readonly #random: () => number;
  #failures = 0;
  #reason = "";
  #sinceMs = 0;
  /** Nothing closes while it is set: requests under way may still be answered. */
  #quietSinceMs: number | undefined;
  #underWay = 0;
  #closedUntilMs = 0;
  #trying = false;
  #stopped = false;
  #changed = Promise.withResolvers<void>();

  constructor(deps: { clock: Clock; observer: Observer; random: () => number }) {
    this.#clock = deps.clock;
    this.#observer = deps.observer;
    this.#random = deps.random;
  }

  get state(): GateState {
    if (this.#failures === 0 && this.#quietSinceMs === undefined) return { blocked: false };
    return { blocked: true, reason: this.#reason, sinceMs: this.#sinceMs };
  }

  /**
   * Runs one request when the gate lets it through. Its error is passed on after it has been counted. `heals: false`: an
   * answer to it does not say that the store is well.
   */
  async run<T>(request: () => Promise<T>, signal: AbortSignal, { heals = true } = {}): Promise<T> {
    const trial = await this.#pass(signal);
    this.#underWay += 1;
    try {
      const answer = await request();
      if (heals) this.heal();
      return answer;
    } catch (error) {
      if (error instanceof StoreError && CLOSES.has(error.trouble)) this.#trouble(error);
      // Any other answer came from a store that works; a bucket that is not ours was not asked at all.
      else if (error instanceof StoreError && heals && error.trouble !== "not_ours") this.heal();
      throw error;
    } finally {
      this.#underWay -= 1;
      // Given up by its stream: nobody is left who waits for the store.
      if (this.#underWay === 0 && this.#failures === 0) this.heal();
      if (trial) {
        this.#trying = false;
        this.#wake();
      }
    }
  }

  /** No request under way has moved for so long, ms: the store is in trouble, though none has failed yet. */
  quiet(quietMs: number): void {
    if (this.#failures > 0) return;
    this.#quietSinceMs ??= this.#clock.monotonicMs() - quietMs;
    this.#sinceMs = this.#quietSinceMs;
    this.#reason = `it does not answer: no byte of any request for ${Math.round(quietMs / 1_000)} s`;
    this.#observer.storeTrouble(this.#reason);
  }

  /** Before the work begins: the store cannot be used, and whoever asks it will say when it can. */
  blockedBy(reason: string): void {
    this.#quietSinceMs ??= this.#clock.monotonicMs();
    this.#sinceMs = this.#quietSinceMs;
    this.#reason = reason;
    this.#observer.storeTrouble(reason);
  }

  /** What was in trouble has gone through. */
  heal(): void {
    if (!this.state.blocked) return;
    this.#failures = 0;
    this.#quietSinceMs = undefined;
    this.#observer.storeHealed();
    this.#wake();
  }

  /** For the end of the worker: requests that wait for the store to heal are refused; those under way go on. */
  stopWaiting(): void {
    this.#stopped = true;
    this.#wake();
  }

  /** Whether this request is the one that tries a closed gate. */
  async #pass(signal: AbortSignal): Promise<boolean> {
    for (;;) {
      signal.throwIfAborted();
      if (this.#failures === 0) return false;
      if (this.#stopped) throw new StoppedError(`stopped while the store was in trouble: ${this.#reason}`);
      const waitMs = this.#closedUntilMs - this.#clock.monotonicMs();
      if (waitMs <= 0 && !this.#trying) {
        this.#trying = true;
        return true;
      }
      const done = new AbortController();
      const either = AbortSignal.any([signal, done.signal]);
      const sleeping = waitMs > 0 ? [this.#clock.sleep(waitMs, either)] : [];
      await Promise.race([this.#changed.promise, aborted(either), ...sleeping]);
      done.abort();
    }
  }

  #trouble(error: StoreError): void {
    const now = this.#clock.monotonicMs();
    // Requests that were under way together fail together: they count once.
    if (this.#failures > 0 && now < this.#closedUntilMs && !this.#trying) return;
    if (this.#failures === 0) this.#sinceMs = this.#quietSinceMs ?? now;
    this.#quietSinceMs = undefined;
    this.#failures += 1;
    this.#reason = `${error.code}: ${error.message}`;
    this.#closedUntilMs = now + backoffMs(this.#failures, this.#random(), error.retryAfterMs);
    this.#observer.storeTrouble(this.#reason);
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
