/** All bodies together leave no faster than the limit; small slices in turn keep every socket busy. */
import { setTimeout as sleep } from "node:timers/promises";

export const BANDWIDTH_LIMITS = {
  smallestSliceBytes: 1024,
  largestSliceBytes: 256 * 1024,
  /** A slice is what may leave in this time, and a pause saves up no more than this. */
  sliceMs: 50,
} as const;

export class BandwidthLimit {
  readonly bytesPerSecond: number;
  readonly #sliceBytes: number;
  readonly #now: () => number;
  /** When what has been taken so far will have left, in monotonic ms. */
  #freeAtMs = 0;

  constructor(bytesPerSecond: number, now: () => number = () => performance.now()) {
    this.bytesPerSecond = bytesPerSecond;
    this.#now = now;
    const { smallestSliceBytes, largestSliceBytes, sliceMs } = BANDWIDTH_LIMITS;
    const slice = Math.floor((bytesPerSecond * sliceMs) / 1000);
    this.#sliceBytes = Math.min(largestSliceBytes, Math.max(smallestSliceBytes, slice));
  }

  *slices(bytes: Uint8Array): Iterable<Uint8Array> {
    for (let at = 0; at < bytes.length; at += this.#sliceBytes)
      yield bytes.subarray(at, at + this.#sliceBytes);
  }

  /** Resolves when `bytes` may leave, in the order of the calls, or at once when `over` aborts. */
  async take(bytes: number, over: AbortSignal): Promise<void> {
    const now = this.#now();
    const startMs = Math.max(this.#freeAtMs, now - BANDWIDTH_LIMITS.sliceMs);
    this.#freeAtMs = startMs + (bytes * 1000) / this.bytesPerSecond;
    if (startMs <= now) return;
    await sleep(startMs - now, undefined, { signal: over }).catch((error: unknown) => {
      if (!over.aborted) throw error;
    });
  }
}
