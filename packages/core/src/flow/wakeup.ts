/**
 * A poke before, during or after the wait ends exactly one wait: no wake-up is lost, and many count once. A mark only
 * shortens the wait: an event that occurs a thousand times a second costs as much as one that occurs once.
 */
import type { Clock } from "../ports/clock.ts";

export interface Wait {
  ms: number;
  /** The maximum wait once it is marked, counted from its beginning. */
  markedMs: number;
}

/** Given as the reason, because the default is an error with a stack, made each time. */
const WOKEN = "woken";

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
    // In two steps, so that frequent marks, as from a growing file, never set a new timer.
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
    const wake = (): void => woken.abort(WOKEN);
    this.#wake = wake;
    signal.addEventListener("abort", wake, { once: true });
    await clock.sleep(ms, woken.signal);
    signal.removeEventListener("abort", wake);
    this.#wake = undefined;
  }
}
