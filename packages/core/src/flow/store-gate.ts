/**
 * An unavailable store is a problem of the worker, not of a stream: meanwhile every request of the worker waits here,
 * and one request at a time tries whether the store works again. So 2,000 streams send no more requests during an
 * outage than one.
 *
 * A problem of a single stream must not block the others: a stream that has not failed itself waits at most
 * `othersWaitMs`, behind no streams except others like it, and its answer opens the gate for all. A request that fails
 * while the bucket answers (`failing`) closes the gate only if a second stream gets the same error, and none of its
 * kind is answered in between; a stream that failed this way while another one was answered no longer counts, until it
 * is answered itself. A gate that closed this way is not opened by an answer to another kind of request: otherwise it
 * would open and close endlessly.
 */
import { StoppedError, StoreError, type StoreTrouble } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import type { Clock } from "../ports/clock.ts";
import type { Observer } from "../ports/observer.ts";
import { backoffMs } from "./retry.ts";

const CLOSES: ReadonlySet<StoreTrouble> = new Set(["unreachable", "throttled", "credentials", "bucket"]);

/** Beyond this number they are all judged again. */
const MOST_ODD = 1_000;

export interface GateState {
  blocked: boolean;
  reason?: string;
  /** Monotonic ms of the first failure of this outage. */
  sinceMs?: number;
}

export interface Asking {
  /** The stream that makes the request. */
  by: string;
  /** Whether it sends bytes of the file: a store may fail all of these requests, and answer the others. */
  kind?: "sends" | "asks";
  /** False: an answer does not prove that the store works. */
  provesRecovery?: boolean;
}

export class StoreGate {
  readonly #clock: Clock;
  readonly #observer: Observer;
  readonly #random: () => number;
  #failures = 0;
  #reason = "";
  #sinceMs = 0;
  /** Suspends closing while set: requests in flight may still be answered. */
  #quietSinceMs: number | undefined;
  #underWay = 0;
  /** Streams that failed in this outage. */
  readonly #failed = new Set<string>();
  /** Streams that failed while the bucket answers others, and those known to be the only ones. */
  readonly #failing = { sends: new Set<string>(), asks: new Set<string>() };
  readonly #odd = { sends: new Set<string>(), asks: new Set<string>() };
  /** For streams that failed, and for the others; each admits one request at a time. */
  readonly #closed = { failed: { untilMs: 0, trying: false }, others: { untilMs: 0, trying: false } };
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

  /** Runs one request when the gate admits it. Its error is counted, then passed on. */
  async run<T>(request: () => Promise<T>, signal: AbortSignal, asking: Asking): Promise<T> {
    const { by, kind = "asks", provesRecovery = true } = asking;
    const trial = await this.#pass(by, signal);
    this.#underWay += 1;
    try {
      const answer = await request();
      if (provesRecovery) this.answered({ by, kind });
      else this.#failing[kind].delete(by);
      return answer;
    } catch (error) {
      if (error instanceof StoreError) this.#refused(error, { by, kind, provesRecovery });
      throw error;
    } finally {
      this.#underWay -= 1;
      // Given up by its stream: no stream waits for the store any longer.
      if (this.#underWay === 0 && this.#failures === 0) this.recover();
      if (trial) {
        trial.trying = false;
        this.#wake();
      }
    }
  }

  /**
   * No request in flight has made progress for this long, ms: the store is unavailable, although no request has failed
   * yet.
   */
  quiet(quietMs: number): void {
    if (this.#failures > 0) return;
    this.#quietSinceMs ??= this.#clock.monotonicMs() - quietMs;
    this.#sinceMs = this.#quietSinceMs;
    this.#reason = `it does not answer: no byte of any request for ${Math.round(quietMs / 1_000)} s`;
    this.#observer.storeTrouble(this.#reason);
  }

  /** Called before the work begins: the store cannot be used; the next request finds out when it can. */
  blockedBy(reason: string): void {
    this.#quietSinceMs ??= this.#clock.monotonicMs();
    this.#sinceMs = this.#quietSinceMs;
    this.#reason = reason;
    this.#observer.storeTrouble(reason);
  }

  /** A request that had failed has succeeded. */
  recover(): void {
    if (!this.state.blocked) return;
    this.#failures = 0;
    this.#failed.clear();
    this.#quietSinceMs = undefined;
    this.#observer.storeRecovered();
    this.#wake();
  }

  /** A request succeeded, by its answer or according to a look-up. */
  answered({ by, kind = "asks" }: Asking): void {
    const [failing, odd] = [this.#failing[kind], this.#odd[kind]];
    failing.delete(by);
    odd.delete(by);
    if (odd.size >= MOST_ODD) odd.clear();
    for (const other of failing) odd.add(other);
    failing.clear();
    this.#recoverUnlessFailing();
  }

  /** Its stream gave a request up: its error says nothing about the present state of the store. */
  gaveUp(by: string): void {
    for (const failing of Object.values(this.#failing)) failing.delete(by);
  }

  /** For the shutdown: requests that wait for the store are refused; those in flight continue. */
  stopWaiting(): void {
    this.#stopped = true;
    this.#wake();
  }

  /** Resolves with the closed gate if this request is the one that tries it. */
  async #pass(by: string, signal: AbortSignal): Promise<{ trying: boolean } | undefined> {
    for (;;) {
      signal.throwIfAborted();
      if (this.#failures === 0) return undefined;
      if (this.#stopped) throw new StoppedError(`stopped while the store was unavailable: ${this.#reason}`);
      const closed = this.#failed.has(by) ? this.#closed.failed : this.#closed.others;
      const waitMs = closed.untilMs - this.#clock.monotonicMs();
      if (waitMs <= 0 && !closed.trying) {
        closed.trying = true;
        return closed;
      }
      const done = new AbortController();
      const either = AbortSignal.any([signal, done.signal]);
      const sleeping = waitMs > 0 ? [this.#clock.sleep(waitMs, either)] : [];
      await Promise.race([this.#changed.promise, aborted(either), ...sleeping]);
      done.abort();
    }
  }

  #refused(error: StoreError, { by, kind, provesRecovery }: Required<Asking>): void {
    if (CLOSES.has(error.trouble)) return this.#trouble(error, by);
    // A bucket that is not ours was not asked at all.
    if (error.trouble === "not_ours") return;
    const failing = this.#failing[kind];
    if (error.trouble !== "failing") failing.delete(by);
    else if (!this.#odd[kind].has(by)) failing.add(by);
    if (failing.size > 1 && failing.has(by)) this.#trouble(error, by);
    // The bucket answered this request, or another one.
    else if (provesRecovery) this.#recoverUnlessFailing();
  }

  /** Not while one kind of request fails for two streams, even if others are answered. */
  #recoverUnlessFailing(): void {
    if (Object.values(this.#failing).every(({ size }) => size < 2)) this.recover();
  }

  #trouble(error: StoreError, by: string): void {
    const now = this.#clock.monotonicMs();
    const { failed, others } = this.#closed;
    this.#failed.add(by);
    // Requests that were in flight together fail together: they count once.
    if (this.#failures > 0 && now < failed.untilMs && !failed.trying && !others.trying) return;
    if (this.#failures === 0) this.#sinceMs = this.#quietSinceMs ?? now;
    this.#quietSinceMs = undefined;
    this.#failures += 1;
    this.#reason = `${error.code}: ${error.message}`;
    const waitMs = backoffMs(this.#failures, this.#random());
    const { trouble, retryAfterMs = 0 } = error;
    failed.untilMs = now + Math.max(waitMs, retryAfterMs);
    // The store's Retry-After applies to all; an answer to a stream that alone fails may be about its key.
    const wishMs = trouble === "throttled" || this.#failed.size > 1 ? retryAfterMs : 0;
    others.untilMs = now + Math.max(Math.min(waitMs, LIMITS.othersWaitMs), wishMs);
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
