/** A poke before, during or after the wait ends exactly one wait: no wake-up is lost, many count once. */
import type { Clock } from "../ports/clock.ts";

export class Wakeup {
  #poked = false;
  #end: (() => void) | undefined;

  poke(): void {
    this.#poked = true;
    this.#end?.();
  }

  /** Resolves when poked, after `ms`, or when the signal aborts. */
  async wait(ms: number, clock: Clock, signal: AbortSignal): Promise<void> {
    if (!this.#poked && !signal.aborted) {
      const woken = new AbortController();
      this.#end = () => woken.abort();
      const stop = (): void => woken.abort();
      signal.addEventListener("abort", stop, { once: true });
      await clock.sleep(ms, woken.signal);
      signal.removeEventListener("abort", stop);
      this.#end = undefined;
    }
    this.#poked = false;
  }
}
