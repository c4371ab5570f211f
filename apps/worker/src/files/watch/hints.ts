/** Paths from file events, taken in small batches; each is passed to the watch it is in. */
import { LIMITS, type Clock } from "@sluice/core";
import { watchOf } from "../../takeover/recoverer.ts";
import type { WatchRunner } from "./watch-runner.ts";

export interface Hint {
  path: string;
  /** According to the event only its content changed; otherwise anything may have happened to it. */
  written: boolean;
}

export interface HintSource {
  /** Resolves with at least one hint, or with none when the signal aborts. */
  take(signal: AbortSignal): Promise<Hint[]>;
}

/** Hints handled concurrently. */
const BATCH = 64;

export async function followHints(
  hints: HintSource,
  runners: readonly WatchRunner[],
  clock: Clock,
  signal: AbortSignal,
  onError: (path: string, error: unknown) => void,
): Promise<void> {
  const watches = runners.map(({ watch }) => watch);
  while (!signal.aborted) {
    const taken = await hints.take(signal);
    for (let at = 0; at < taken.length && !signal.aborted; at += BATCH) {
      const underWay: Promise<void>[] = [];
      for (const { path, written } of taken.slice(at, at + BATCH)) {
        const watch = watchOf(watches, path);
        const runner = runners.find((one) => one.watch === watch);
        // Nearly every event is a write to a file that has a stream: it is marked, and nothing waits.
        if (!runner || runner.passedOn(path, written)) continue;
        // If this fails, the rescan tries again.
        underWay.push(runner.sightNew(path).catch((error: unknown) => onError(path, error)));
      }
      if (underWay.length > 0) await Promise.all(underWay);
    }
    await clock.sleep(HINT_PAUSE_MS, signal);
  }
}

/** A path that changes a thousand times a second is passed on about twenty times. */
const HINT_PAUSE_MS = 50;

/**
 * Paths from file events, each once, until they are taken. Bounded: beyond the limit a hint is dropped, because the
 * next rescan sees the same file.
 */
export class PathHints {
  readonly #limit: number;
  #hints = new Map<string, boolean>();
  #arrived = Promise.withResolvers<void>();
  #dropped = 0;

  constructor(limit: number = LIMITS.pathHints) {
    this.#limit = limit;
  }

  /** Hints dropped because of the limit since the start. */
  get dropped(): number {
    return this.#dropped;
  }

  /** `written`: only its content changed; absent: anything may have happened, such as a rename. */
  add(path: string, written = false): void {
    const before = this.#hints.get(path);
    if (before === undefined && this.#hints.size >= this.#limit) {
      this.#dropped += 1;
      return;
    }
    this.#hints.set(path, written && before !== false);
    this.#arrived.resolve();
  }

  /** Everything since the last call; resolves with at least one, or with none when the signal aborts. */
  async take(signal: AbortSignal): Promise<Hint[]> {
    if (this.#hints.size === 0) await this.#someOrAborted(signal);
    const taken = [...this.#hints].map(([path, written]) => ({ path, written }));
    this.#hints = new Map();
    this.#arrived = Promise.withResolvers();
    return taken;
  }

  async #someOrAborted(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const aborted = Promise.withResolvers<void>();
    const onAbort = (): void => aborted.resolve();
    signal.addEventListener("abort", onAbort, { once: true });
    await Promise.race([this.#arrived.promise, aborted.promise]);
    signal.removeEventListener("abort", onAbort);
  }
}
