/** Paths that events named, taken in small batches; each is looked at by the watch it lies in. */
import type { Clock } from "@sluice/core";
import { watchOf } from "../../takeover/recoverer.ts";
import type { WatchRunner } from "./watch-runner.ts";

export interface Hint {
  path: string;
  /** Only bytes of it changed, by what the event says; else anything may have happened to it. */
  written: boolean;
}

export interface HintSource {
  /** Resolves with at least one, or with none when the signal aborts. */
  take(signal: AbortSignal): Promise<Hint[]>;
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
    const taken = await hints.take(signal);
    for (let at = 0; at < taken.length && !signal.aborted; at += BATCH) {
      await Promise.all(
        taken.slice(at, at + BATCH).map(async ({ path, written }) => {
          const watch = watchOf(watches, path);
          const runner = runners.find((one) => one.watch === watch);
          // A look that fails is made again by the rescan.
          await runner?.hint(path, written).catch((error: unknown) => onError(path, error));
        }),
      );
    }
    await clock.sleep(HINT_PAUSE_MS, signal);
  }
}

/** A path that is named a thousand times a second is passed on some twenty times. */
const HINT_PAUSE_MS = 50;
