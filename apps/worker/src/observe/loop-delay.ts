/** How long the event loop was held up lately: by the process itself, or by a machine that gave it no turn. */
import { monitorEventLoopDelay } from "node:perf_hooks";

/** A delay is remembered for one to two of these. */
const WINDOW_MS = 10_000;
const RESOLUTION_MS = 50;

export class LoopDelay implements Disposable {
  readonly #histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  readonly #timer: NodeJS.Timeout;
  #before = 0;

  constructor() {
    this.#histogram.enable();
    this.#timer = setInterval(() => {
      this.#before = this.#now();
      this.#histogram.reset();
    }, WINDOW_MS).unref();
  }

  /** The longest delay of the last ten to twenty seconds, ms. */
  get maxMs(): number {
    return Math.max(this.#before, this.#now());
  }

  #now(): number {
    return this.#histogram.count === 0 ? 0 : this.#histogram.max / 1e6;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#histogram.disable();
  }
}
