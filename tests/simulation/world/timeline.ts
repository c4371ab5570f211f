/**
 * Virtual time: everything that will happen stands in one queue, ordered by its time, then by the order of asking. Between
 * two events all that can run without time passing runs to its end. Two runs of one seed are the same, event for event.
 */
import type { SimulatedProcess } from "./process.ts";

interface Event {
  atMs: number;
  order: number;
  /** Whose it is: it does not happen to a dead process, and to a frozen one later. Undefined: the world's own. */
  process: SimulatedProcess | undefined;
  run(): void;
}

/** Everything of a process that can run runs in microtasks, and those end before the next macrotask. */
const settle = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

export const START_WALL_MS = Date.parse("2026-03-01T00:00:00.000Z");

export class Timeline {
  nowMs = 0;
  /** Events that happened. */
  steps = 0;
  #orders = 0;
  readonly #heap: Event[] = [];

  /** What a clock says that nobody ever sets: Redis's and the store's. */
  get wallMs(): number {
    return START_WALL_MS + this.nowMs;
  }

  at(atMs: number, process: SimulatedProcess | undefined, run: () => void): void {
    this.#push({ atMs: Math.max(atMs, this.nowMs), order: (this.#orders += 1), process, run });
  }

  after(ms: number, process: SimulatedProcess | undefined, run: () => void): void {
    this.at(this.nowMs + ms, process, run);
  }

  /** Passes time up to `untilMs`, or until `enough` says so, asked after each event. */
  async run(untilMs: number, enough: () => boolean = () => false): Promise<void> {
    await settle();
    while (!enough()) {
      const next = this.#heap[0];
      if (!next || next.atMs > untilMs) {
        this.nowMs = Math.max(this.nowMs, untilMs);
        return;
      }
      this.#pop();
      const { process } = next;
      if (process?.dead) continue;
      this.nowMs = next.atMs;
      if (process && process.frozenUntilMs > this.nowMs) {
        this.#push({ ...next, atMs: process.frozenUntilMs });
        continue;
      }
      this.steps += 1;
      next.run();
      await settle();
    }
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.push(event) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (!above || !isBefore(event, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = event;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (!last || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      const [left, right] = [heap[child], heap[child + 1]];
      if (left && right && isBefore(right, left)) child += 1;
      const least = heap[child];
      if (!least || !isBefore(least, last)) break;
      heap[at] = least;
      at = child;
    }
    heap[at] = last;
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
