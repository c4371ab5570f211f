/**
 * What tails may cost the worker: bytes and requests a second, and slots in the upload lane. The stream that has been
 * unprotected for longest goes first; a stream that has to wait asks again, and is woken when its turn comes.
 *
 * Both balances may be overdrawn by one tail, so that a large one goes up at all; the next one waits until that is paid.
 */
import { assert } from "../assert.ts";
import { LIMITS } from "../limits.ts";
import type { Clock } from "../ports/clock.ts";

/** SLUICE_TAIL_BUDGET: so many times what the files grow by, or bytes a second. */
export type TailTraffic = { kind: "times"; times: number } | { kind: "rate"; bytesPerSecond: number };

export interface TailBudgetOptions {
  /** SLUICE_TAIL_SAFEGUARD. */
  windowMs: number;
  traffic: TailTraffic;
  requestsPerSecond: number;
  /** Of the upload lane. Tails take a quarter of them at most, and one at least. */
  uploadSlots: number;
  clock: Pick<Clock, "monotonicMs">;
}

export interface TailWaiter {
  /** The stream. */
  id: string;
  /** Since when its oldest unprotected byte has been there (monotonic ms). */
  sinceMs: number;
  wake(): void;
  /** Once it has its turn: the store refuses this stream alone, for as long as that may last. */
  isStuck(): boolean;
}

/** A stream's turn: held until its tail is sent, or given up. */
export interface TailTurn {
  /** What it cost. */
  spend(bytes: number, requests: number): void;
  release(): void;
}

export type Asked = { kind: "turn"; turn: TailTurn } | { kind: "wait"; ms: number };

export class TailBudget {
  readonly windowMs: number;
  readonly #options: TailBudgetOptions;
  readonly #slots: number;
  readonly #waiting = new Map<string, TailWaiter>();
  /** Who waits for longest; undefined: to be looked for. Thousands may wait, and each asks now and then. */
  #first: TailWaiter | undefined;
  /** Whose turn it is, and since when it has been called. */
  #called: { id: string; atMs: number } | undefined;
  readonly #turns = new Set<TailWaiter>();
  #bytes: number;
  #requests: number;
  /** Bytes that the files grew by since the last refill, and what came in a second of late. */
  #grown = 0;
  #rate: number;
  #filledMs: number;
  /** The longest that a byte was unprotected, by the minute. */
  readonly #reached: { minute: number; ms: number }[] = [];

  constructor(options: TailBudgetOptions) {
    assert(options.windowMs > 0, "a window is some time");
    this.#options = options;
    this.windowMs = options.windowMs;
    this.#slots = Math.max(1, Math.floor(options.uploadSlots / 4));
    const { traffic } = options;
    this.#rate = traffic.kind === "rate" ? traffic.bytesPerSecond : LIMITS.tailBytesPerSecond;
    this.#bytes = this.#rate;
    this.#requests = options.requestsPerSecond;
    this.#filledMs = options.clock.monotonicMs();
  }

  /** A file became so many bytes longer. */
  grew(bytes: number): void {
    this.#grown += Math.max(0, bytes);
  }

  /** Streams whose tail is due and waits. */
  get waiting(): number {
    return this.#waiting.size;
  }

  ask(waiter: TailWaiter): Asked {
    this.#refill();
    this.#wait(waiter);
    const next = this.#next();
    if (next !== undefined && next.id !== waiter.id) next.wake();
    if (next?.id !== waiter.id) return { kind: "wait", ms: this.#waitMs(waiter) };
    this.withdraw(waiter.id);
    return { kind: "turn", turn: this.#turn(waiter) };
  }

  /** Its tail is no longer due. */
  withdraw(id: string): void {
    this.#waiting.delete(id);
    if (this.#called?.id === id) this.#called = undefined;
    if (this.#first?.id === id) this.#first = undefined;
  }

  #wait(waiter: TailWaiter): void {
    this.#waiting.set(waiter.id, waiter);
    // One that comes late comes all the same.
    if (this.#called?.id === waiter.id) this.#called.atMs = this.#options.clock.monotonicMs();
    if (this.#first && waiter.sinceMs <= this.#first.sinceMs) this.#first = waiter;
    else if (this.#first?.id === waiter.id) this.#first = undefined;
  }

  #longest(): TailWaiter | undefined {
    if (this.#first === undefined)
      for (const waiter of this.#waiting.values())
        if (!this.#first || waiter.sinceMs < this.#first.sinceMs) this.#first = waiter;
    return this.#first;
  }

  /** The bytes of a tail were unprotected for so long when it was acknowledged. */
  reached(ms: number): void {
    const minute = Math.floor(this.#options.clock.monotonicMs() / 60_000);
    const last = this.#reached.at(-1);
    if (last?.minute === minute) last.ms = Math.max(last.ms, ms);
    else this.#reached.push({ minute, ms });
    this.#forget();
  }

  /** The window really reached, of late: undefined when no tail went up and none waits. */
  get reachedMs(): number | undefined {
    this.#forget();
    const now = this.#options.clock.monotonicMs();
    const waiting = [...this.#waiting.values()].map(({ sinceMs }) => now - sinceMs);
    const ages = [...this.#reached.map(({ ms }) => ms), ...waiting.filter(Number.isFinite)];
    return ages.length === 0 ? undefined : Math.max(...ages);
  }

  #forget(): void {
    const from = Math.floor((this.#options.clock.monotonicMs() - LIMITS.tailWindowSeenMs) / 60_000);
    while (this.#reached[0] && this.#reached[0].minute < from) this.#reached.shift();
  }

  /** Who goes next, if anybody may go now. One that was called and does not come is passed over. */
  #next(): TailWaiter | undefined {
    if (this.#isBusy || this.#bytes < 0 || this.#requests < 0) return undefined;
    const now = this.#options.clock.monotonicMs();
    if (this.#called !== undefined && now - this.#called.atMs >= LIMITS.tailTurnMs)
      this.withdraw(this.#called.id);
    const called = this.#called && this.#waiting.get(this.#called.id);
    if (called) return called;
    const first = this.#longest();
    this.#called = first && { id: first.id, atMs: now };
    return first;
  }

  /** The first one comes back when the balances allow it; the others are woken. */
  #waitMs({ id }: TailWaiter): number {
    if (this.#longest()?.id !== id || this.#isBusy) return LIMITS.tailTurnMs;
    const owedMs =
      Math.max(-this.#bytes / this.#rate, -this.#requests / this.#options.requestsPerSecond) * 1_000;
    return Math.min(LIMITS.tailTurnMs, Math.max(LIMITS.lookEveryMs, owedMs));
  }

  get #isBusy(): boolean {
    return [...this.#turns].filter((turn) => !turn.isStuck()).length >= this.#slots;
  }

  #turn(waiter: TailWaiter): TailTurn {
    this.#turns.add(waiter);
    return {
      spend: (bytes, requests) => {
        this.#bytes -= bytes;
        this.#requests -= requests;
      },
      release: () => {
        if (!this.#turns.delete(waiter)) return;
        this.#refill();
        this.#next()?.wake();
      },
    };
  }

  /** What was not used is kept for a while, and no longer: a quiet night does not buy a flood in the morning. */
  #refill(): void {
    const now = this.#options.clock.monotonicMs();
    const seconds = (now - this.#filledMs) / 1_000;
    if (seconds < 0.5) return;
    this.#filledMs = now;
    const { traffic, requestsPerSecond } = this.#options;
    const grown = traffic.kind === "rate" ? 0 : traffic.times * this.#grown;
    const least = traffic.kind === "rate" ? traffic.bytesPerSecond : LIMITS.tailBytesPerSecond;
    const came = Math.max(grown, least * seconds);
    this.#grown = 0;
    const share = Math.min(1, (seconds * 1_000) / LIMITS.tailBurstMs);
    this.#rate += (came / seconds - this.#rate) * share;
    // A file that comes all at once pays for its own tail; what files grew by over hours, while nobody asked, does not.
    const most = Math.max((this.#rate * LIMITS.tailBurstMs) / 1_000, share < 1 ? grown : 0);
    this.#bytes = Math.min(most, this.#bytes + came);
    this.#requests = Math.min(requestsPerSecond, this.#requests + requestsPerSecond * seconds);
  }
}
