/** The real clock: monotonic from performance.now, sleeps that end with their signal and never reject. */
import type { Clock } from "@sluice/core";

export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  // Every stream sleeps again and again, and most sleeps end with their signal: no error is made for that.
  sleep(ms, signal) {
    if (ms <= 0 || signal?.aborted) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", wake);
      resolve();
    };
    const timer = setTimeout(wake, ms);
    signal?.addEventListener("abort", wake);
    return promise;
  },
};
