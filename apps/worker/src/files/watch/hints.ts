/** Paths that events named, taken in small batches; each is looked at by the watch it lies in. */
import type { Clock } from "@sluice/core";
import { watchOf } from "../../takeover/recoverer.ts";
import type { WatchRunner } from "./watch-runner.ts";

export interface HintSource {
  /** Resolves with at least one path, or with none when the signal aborts. */
  take(signal: AbortSignal): Promise<string[]>;
}

/** Hints looked at side by side. */
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
    const paths = await hints.take(signal);
    for (let at = 0; at < paths.length && !signal.aborted; at += BATCH) {
      await Promise.all(
        paths.slice(at, at + BATCH).map(async (path) => {
          const watch = watchOf(watches, path);
          const runner = runners.find((one) => one.watch === watch);
          // A look that fails is made again by the rescan.
          await runner?.hint(path).catch((error: unknown) => onError(path, error));
        }),
      );
    }
    await clock.sleep(HINT_PAUSE_MS, signal);
  }
}

/** A file written a thousand times a second is looked at some twenty times. */
const HINT_PAUSE_MS = 50;
