/** The real clock: monotonic from performance.now, sleeps that end with their signal and never reject. */
import { setTimeout as delay } from "node:timers/promises";
import type { Clock } from "@sluice/core";

export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  async sleep(ms, signal) {
    if (ms <= 0 || signal?.aborted) return;
    await delay(ms, undefined, signal ? { signal } : {}).catch((error: unknown) => {
      if (!signal?.aborted) throw error;
    });
  },
};
