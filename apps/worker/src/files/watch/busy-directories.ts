/**
 * Directories whose files are written so often that receiving the events costs more than looking: they are taken away
 * from chokidar for a minute at a time, and followed by a timer.
 *
 * ```text
 *   events ──── more than 500 changes a second, three seconds in a row ────► timer
 *      ▲                                                                       │
 *      └── after a minute: chokidar follows it again, then one last look ──────┘
 * ```
 *
 * Nothing is missed between the two: the timer notes what there is before chokidar lets go, and looks once more after
 * chokidar follows the directory again.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { isUnder } from "../path-buffer.ts";
import { TimedDirectory, type TimedDirectoryOptions } from "./timed-directory.ts";

export interface Pace {
  /** More changes than this in each of some seconds in a row are too many for events. */
  changesPerSecond: number;
  onTimerMs: number;
  lookEveryMs: number;
}

export const PACE: Pace = { changesPerSecond: 500, onTimerMs: 60_000, lookEveryMs: 500 };

export interface BusyDirectoriesOptions extends Omit<TimedDirectoryOptions, "path"> {
  pace: Pace;
  unwatch(directory: string): void;
  watch(directories: string[]): void;
  /** Directories that events follow now. */
  watched(): ReadonlySet<string>;
  /** Closes all and begins again. */
  restart(): void;
  /** A directory went from events to the timer, or back. */
  onSwitch(): void;
  /** The timer follows a directory for the first time. */
  onTaken(directory: string): void;
  /** Changes in this directory may be missed from now on. */
  onError(error: unknown): void;
}

const SECONDS_IN_A_ROW = 3;
/** A directory that the timer cannot follow is tried again after this long. */
const REFUSED_FOR_MS = 600_000;
/** How long chokidar may take to follow a directory again. */
const WATCH_AGAIN_MS = 60_000;
/** chokidar keeps a little for each directory that it once let go of: beyond these it is started again. */
const MOST_LET_GO = 16;

interface Rate {
  sinceMs: number;
  changes: number;
  secondsInARow: number;
}

export class BusyDirectories {
  readonly #options: BusyDirectoriesOptions;
  readonly #rates = new Map<string, Rate>();
  /** Followed by the timer, or about to be. */
  readonly #timed = new Map<string, AbortController>();
  readonly #letGo = new Set<string>();
  readonly #refusedUntilMs = new Map<string, number>();
  #closed = false;

  constructor(options: BusyDirectoriesOptions) {
    this.#options = options;
  }

  close(): void {
    this.#closed = true;
    for (const ended of this.#timed.values()) ended.abort();
    this.#timed.clear();
  }

  forget(directory: string): void {
    this.#rates.delete(directory);
    this.#refusedUntilMs.delete(directory);
  }

  /** An event said that a file in this directory changed. */
  changed(directory: string): void {
    const nowMs = performance.now();
    const rate = this.#rates.get(directory);
    if (rate === undefined) {
      this.#rates.set(directory, { sinceMs: nowMs, changes: 1, secondsInARow: 0 });
      return;
    }
    rate.changes += 1;
    const tookMs = nowMs - rate.sinceMs;
    if (tookMs < 1_000) return;
    const isBusy = rate.changes > (this.#options.pace.changesPerSecond * tookMs) / 1_000;
    rate.secondsInARow = isBusy ? rate.secondsInARow + 1 : 0;
    rate.sinceMs = nowMs;
    rate.changes = 0;
    if (rate.secondsInARow < SECONDS_IN_A_ROW) return;
    rate.secondsInARow = 0;
    // chokidar takes a backslash for a slash.
    if (this.#closed || this.#timed.has(directory) || directory.includes("\\")) return;
    if (nowMs < (this.#refusedUntilMs.get(directory) ?? 0)) return;
    const ended = new AbortController();
    this.#timed.set(directory, ended);
    void this.#follow(directory, ended.signal).finally(() => {
      if (this.#timed.get(directory) === ended) this.#timed.delete(directory);
    });
  }

  async #follow(directory: string, ended: AbortSignal): Promise<void> {
    const { pace, onError } = this.#options;
    const timed = new TimedDirectory({ ...this.#options, path: directory });
    try {
      await timed.look();
      if (ended.aborted) return;
      if (timed.isTooLarge || timed.directories.length === 0)
        return void this.#refusedUntilMs.set(directory, performance.now() + REFUSED_FOR_MS);
      this.#take(directory);
      const untilMs = performance.now() + pace.onTimerMs;
      while (performance.now() < untilMs && timed.directories.length > 0 && !timed.isTooLarge)
        if (!(await this.#look(timed, ended))) return;
    } catch (error) {
      onError(error);
    }
    await this.#giveBack(directory, timed, ended).catch(onError);
  }

  /** False when another follows the directory by now. */
  async #look(timed: TimedDirectory, ended: AbortSignal): Promise<boolean> {
    // An abort ends the sleep by an error that says nothing.
    await sleep(this.#options.pace.lookEveryMs, undefined, { ref: false, signal: ended }).catch(
      () => undefined,
    );
    if (ended.aborted) return false;
    await timed.look();
    return !ended.aborted;
  }

  #take(directory: string): void {
    const { unwatch, onSwitch, onTaken } = this.#options;
    if (!this.#letGo.has(directory)) onTaken(directory);
    this.#letGo.add(directory);
    unwatch(directory);
    onSwitch();
    for (const [below, ended] of this.#timed) {
      if (!isUnder(directory, below)) continue;
      ended.abort();
      this.#timed.delete(below);
    }
  }

  async #giveBack(directory: string, timed: TimedDirectory, ended: AbortSignal): Promise<void> {
    const { watch, watched, restart, onSwitch } = this.#options;
    if (ended.aborted) return;
    if (this.#letGo.size > MOST_LET_GO) return restart();
    watch([...this.#letGo].filter((path) => path === directory || isUnder(directory, path)));
    const untilMs = performance.now() + WATCH_AGAIN_MS;
    const isWatched = (): boolean => {
      const now = watched();
      return timed.directories.every((path) => now.has(path));
    };
    while (!isWatched()) {
      if (performance.now() > untilMs) throw new Error(`${directory} is not followed again`);
      if (!(await this.#look(timed, ended))) return;
    }
    // Twice: one look compares names, every second one files as well.
    for (let looks = 0; looks < 2; looks += 1) if (!(await this.#look(timed, ended))) return;
    onSwitch();
  }
}
