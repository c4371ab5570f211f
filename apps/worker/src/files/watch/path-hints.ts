/**
 * Paths that events named, each once, until somebody looks. Bounded: past the limit a hint is dropped, because the next
 * rescan sees the same file.
 */
import { LIMITS } from "@sluice/core";
import type { Hint } from "./hints.ts";

export class PathHints {
  readonly #limit: number;
  #hints = new Map<string, boolean>();
  #arrived = Promise.withResolvers<void>();
  #dropped = 0;

  constructor(limit: number = LIMITS.pathHints) {
    this.#limit = limit;
  }

  /** Hints lost to the limit since the start. */
  get dropped(): number {
    return this.#dropped;
  }

  /** `written`: only its bytes changed; absent: anything may have happened, such as a rename. */
  add(path: string, written = false): void {
    const before = this.#hints.get(path);
    if (before === undefined && this.#hints.size >= this.#limit) {
      this.#dropped += 1;
      return;
    }
    this.#hints.set(path, written && before !== false);
    this.#arrived.resolve();
  }

  /** Everything that came since the last call; resolves with at least one, or with none when the signal aborts. */
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
