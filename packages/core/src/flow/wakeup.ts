/**
 * A poke before, during or after the wait ends exactly one wait: no wake-up is lost, many count once. A mark only brings
 * the end forward: what happens a thousand times a second costs as much as what happened once.
 */
import type { Clock } from "../ports/clock.ts";

export interface Wait {
  ms: number;
  /** How long it is at most when it is marked, counted from its beginning. */
  markedMs: number;
}

export class Wakeup {
  #poked = false;
  #marked = false;
  #endsWithMark = false;
  #wake: (() => void) | undefined;

  poke(): void {
    this.#poked = true;
    this.#wake?.();
  }

  mark(): void {
    this.#marked = true;
    if (this.#endsWithMark) this.#wake?.();
  }

  /** Resolves when poked, after its time, or when the signal aborts. */
  async wait({ ms, markedMs }: Wait, clock: Clock, signal: AbortSignal): Promise<void> {
    const begunMs = clock.monotonicMs();
    // Two stretches: what marks a wait all the time, as a growing file does, sets no timer anew.
    await this.#sleep(Math.min(ms, markedMs), clock, signal);
    if (!this.#marked) {
      this.#endsWithMark = true;
      await this.#sleep(ms - (clock.monotonicMs() - begunMs), clock, signal);
      this.#endsWithMark = false;
    }
    this.#poked = false;
    this.#marked = false;
  }

  async #sleep(ms: number, clock: Clock, signal: AbortSignal): Promise<void> {
    if (this.#poked || signal.aborted || ms <= 0) return;
    const woken = new AbortController();
    const wake = (): void => woken.abort();
    this.#wake = wake;
    signal.addEventListener("abort", wake, { once: true });
    await clock.sleep(ms, woken.signal);
    signal.removeEventListener("abort", wake);
    this.#wake = undefined;
  }
}
