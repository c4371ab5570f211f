/**
 * Paths that events named, each once, until somebody looks. Bounded: past the limit a hint is dropped, because the next
 * rescan sees the same file.
 */
import { LIMITS } from "@sluice/core";

export class PathHints {
  readonly #limit: number;
  #paths = new Set<string>();
  #arrived = Promise.withResolvers<void>();
  #dropped = 0;

  constructor(limit: number = LIMITS.pathHints) {
    this.#limit = limit;
  }

  /** Hints lost to the limit since the start. */
  get dropped(): number {
    return this.#dropped;
  }

  add(path: string): void {
    if (this.#paths.size >= this.#limit && !this.#paths.has(path)) {
      this.#dropped += 1;
      return;
    }
    this.#paths.add(path);
    this.#arrived.resolve();
  }

  /** Everything that came since the last call; resolves with at least one path, or with none when the signal aborts. */
  async take(signal: AbortSignal): Promise<string[]> {
    if (this.#paths.size === 0) await this.#someOrAborted(signal);
    const taken = [...this.#paths];
    this.#paths = new Set();
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
