/** Time that passes only when a test says so; sleepers wake in order of their time, then of their asking. */
import type { Clock } from "../ports/clock.ts";

interface Sleeper {
  readonly atMs: number;
  readonly order: number;
  wake(): void;
}

export class ManualClock implements Clock {
  readonly #startWallMs: number;
  #nowMs = 0;
  #wallStepMs = 0;
  #orders = 0;
  readonly #sleepers = new Set<Sleeper>();

  constructor(startUtc = "2026-01-01T00:00:00.000Z") {
    this.#startWallMs = Date.parse(startUtc);
  }

  wallMs(): number {
    return this.#startWallMs + this.#nowMs + this.#wallStepMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  /** Wall time as another host has it, whose clock is not set when ours is. */
  elsewhereMs(): number {
    return this.#startWallMs + this.#nowMs;
  }

  /** How many wait for time to pass. */
  get sleeping(): number {
    return this.#sleepers.size;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted || ms <= 0) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    const sleeper: Sleeper = { atMs: this.#nowMs + ms, order: (this.#orders += 1), wake };
    const sleepers = this.#sleepers;
    function wake(): void {
      sleepers.delete(sleeper);
      signal?.removeEventListener("abort", wake);
      resolve();
    }
    sleepers.add(sleeper);
    signal?.addEventListener("abort", wake, { once: true });
    return promise;
  }

  /** The wall clock is set, forward or back; what waits does not notice. */
  stepWall(ms: number): void {
    this.#wallStepMs += ms;
  }

  /** Lets everything run that can run without time passing. */
  async settle(): Promise<void> {
    // Work that asks nothing of the outside world is done in microtasks, and those end before the next macrotask.
    await new Promise<void>((resolve) => void setImmediate(resolve));
  }

  /** Passes `ms`, waking sleepers on the way, each with the clock at its own time. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    await this.settle();
    while (this.#wakeNext(endMs)) await this.settle();
    this.#nowMs = endMs;
    await this.settle();
  }

  /** Passes time until `work` is done; whatever never ends, or waits for nothing that time can bring, is an error. */
  async drive<T>(work: Promise<T>, mostMs = 7 * 24 * 3_600_000): Promise<T> {
    let done = false;
    const end = (): void => {
      done = true;
    };
    work.then(end, end);
    await this.until(() => done, mostMs);
    return await work;
  }

  /** Passes time until the condition holds, looking each time that something has woken. */
  async until(condition: () => boolean, mostMs = 3_600_000): Promise<void> {
    const endMs = this.#nowMs + mostMs;
    await this.settle();
    while (!condition()) {
      if (!this.#wakeNext(endMs)) {
        const why = this.#sleepers.size === 0 ? "nothing waits for time to pass" : `not within ${mostMs} ms`;
        throw new Error(`what was waited for did not happen: ${why}`);
      }
      await this.settle();
    }
  }

  #wakeNext(endMs: number): boolean {
    let next: Sleeper | undefined;
    for (const sleeper of this.#sleepers) {
      if (!next || sleeper.atMs < next.atMs || (sleeper.atMs === next.atMs && sleeper.order < next.order)) {
        next = sleeper;
      }
    }
    if (!next || next.atMs > endMs) return false;
    this.#nowMs = next.atMs;
    next.wake();
    return true;
  }
}
