/**
 * Store trouble is the worker's, not a stream's: while the store is in trouble every request of the worker waits here,
 * and one request at a time tries whether it has healed. So 2,000 streams make no more noise in an outage than one.
 *
 * Trouble that only one stream meets must not hold up the others: a stream that has not failed itself waits
 * `othersWaitMs` at most, behind nobody but its equals, and its answer opens the gate for all. A request that fails while
 * the bucket answers (`failing`) closes the gate only when a second stream meets the same, and none of its kind is
 * answered in between; a stream that failed so while another one was answered counts no more, until it is answered itself.
 * What closed so is not opened by an answer to another kind of request: the gate would open and close without end.
 */
import { StoppedError, StoreError, type StoreTrouble } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import type { Clock } from "../ports/clock.ts";
import type { Observer } from "../ports/observer.ts";
import { backoffMs } from "./retry.ts";

const CLOSES: ReadonlySet<StoreTrouble> = new Set(["unreachable", "throttled", "credentials", "bucket"]);

/** Past so many they are judged anew. */
const MOST_ODD = 1_000;

export interface GateState {
  blocked: boolean;
  reason?: string;
  /** Monotonic ms of the first failure of this trouble. */
  sinceMs?: number;
}

export interface Asking {
  /** The stream whose request it is. */
  by: string;
  /** Whether it sends bytes of the file: a store may fail all of these, and answer the rest. */
  kind?: "sends" | "asks";
  /** False: an answer to it does not say that the store is well. */
  heals?: boolean;
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
  /** Streams that failed in this trouble. */
  readonly #failed = new Set<string>();
  /** Streams that failed beside a bucket that answers, and those of them that are known to do so alone. */
  readonly #failing = { sends: new Set<string>(), asks: new Set<string>() };
  readonly #odd = { sends: new Set<string>(), asks: new Set<string>() };
  /** For streams that failed, and for the others; each lets one request at a time try. */
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

  /**
   * Runs one request when the gate lets it through. Its error is passed on after it has been counted.
   */
  async run<T>(request: () => Promise<T>, signal: AbortSignal, asking: Asking): Promise<T> {
    const { by, kind = "asks", heals = true } = asking;
    const trial = await this.#pass(by, signal);
    this.#underWay += 1;
    try {
      const answer = await request();
      if (heals) this.answered({ by, kind });
      else this.#failing[kind].delete(by);
      return answer;
    } catch (error) {
      if (error instanceof StoreError) this.#refused(error, { by, kind, heals });
      throw error;
    } finally {
      this.#underWay -= 1;
      // Given up by its stream: nobody is left who waits for the store.
      if (this.#underWay === 0 && this.#failures === 0) this.heal();
      if (trial) {
        trial.trying = false;
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
    this.#failed.clear();
    this.#quietSinceMs = undefined;
    this.#observer.storeHealed();
    this.#wake();
  }

  /** A request went through, by its answer or by what a look-up found of it. */
  answered({ by, kind = "asks" }: Asking): void {
    const [failing, odd] = [this.#failing[kind], this.#odd[kind]];
    failing.delete(by);
    odd.delete(by);
    if (odd.size >= MOST_ODD) odd.clear();
    for (const other of failing) odd.add(other);
    failing.clear();
    this.#healUnlessFailing();
  }

  /** Its stream gave a request up: what it met says nothing of the store as it is now. */
  gaveUp(by: string): void {
    for (const failing of Object.values(this.#failing)) failing.delete(by);
  }

  /** For the end of the worker: requests that wait for the store to heal are refused; those under way go on. */
  stopWaiting(): void {
    this.#stopped = true;
    this.#wake();
  }

  /** Given back when this request is one that tries a closed gate. */
  async #pass(by: string, signal: AbortSignal): Promise<{ trying: boolean } | undefined> {
    for (;;) {
      signal.throwIfAborted();
      if (this.#failures === 0) return undefined;
      if (this.#stopped) throw new StoppedError(`stopped while the store was in trouble: ${this.#reason}`);
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

  #refused(error: StoreError, { by, kind, heals }: Required<Asking>): void {
    if (CLOSES.has(error.trouble)) return this.#trouble(error, by);
    // A bucket that is not ours was not asked at all.
    if (error.trouble === "not_ours") return;
    const failing = this.#failing[kind];
    if (error.trouble !== "failing") failing.delete(by);
    else if (!this.#odd[kind].has(by)) failing.add(by);
    if (failing.size > 1 && failing.has(by)) this.#trouble(error, by);
    // The bucket answered: this request, or one beside it.
    else if (heals) this.#healUnlessFailing();
  }

  /** Not while one kind of request fails for two streams, whatever else is answered. */
  #healUnlessFailing(): void {
    if (Object.values(this.#failing).every(({ size }) => size < 2)) this.heal();
  }

  #trouble(error: StoreError, by: string): void {
    const now = this.#clock.monotonicMs();
    const { failed, others } = this.#closed;
    this.#failed.add(by);
    // Requests that were under way together fail together: they count once.
    if (this.#failures > 0 && now < failed.untilMs && !failed.trying && !others.trying) return;
    if (this.#failures === 0) this.#sinceMs = this.#quietSinceMs ?? now;
    this.#quietSinceMs = undefined;
    this.#failures += 1;
    this.#reason = `${error.code}: ${error.message}`;
    const waitMs = backoffMs(this.#failures, this.#random());
    const { trouble, retryAfterMs = 0 } = error;
    failed.untilMs = now + Math.max(waitMs, retryAfterMs);
    // A wish of the store binds all; one in answer to a stream that alone is in trouble may be about its key.
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
