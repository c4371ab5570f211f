/** A scrape waits at most this long for Redis: metrics matter most while Redis is unavailable or hangs. */
import { CheckpointError, type Clock } from "@sluice/core";

const SCRAPE_MS = 1_000;

/** Undefined: Redis does not answer now. */
export async function soon<T>(read: Promise<T>, clock: Pick<Clock, "sleep">): Promise<T | undefined> {
  const done = new AbortController();
  const late = clock.sleep(SCRAPE_MS, done.signal).then(() => undefined);
  try {
    return await Promise.race([read, late]);
  } catch (error) {
    if (error instanceof CheckpointError) return undefined;
    throw error;
  } finally {
    done.abort();
  }
}
