/**
 * The free space of each watch's disk, looked at every few seconds, and when it will be used up. A file system that hangs
 * holds up nothing: its call is left behind, and its space is unknown until that call has ended.
 */
import type { SpaceWarning } from "@sluice/config";
import { displayPath, type Clock } from "@sluice/core";
import type { WatchSpace } from "@sluice/redis-schema";
import { formatBytes, formatDuration } from "@sluice/control/units";
import { trouble } from "@sluice/control/troubles";
import type { DiskSpace } from "../files/disk-space.ts";
import type { SupervisorLog } from "../streams/supervisor.ts";
import { fullInMs, isFilling, RATE_WINDOW_MS, type SpaceSample } from "./disk-forecast.ts";

/** With the renewal of the lease, what a page shows is at most ten seconds old. */
export const LOOK_AT_SPACE_MS = 5_000;
/** A call that takes longer is left behind. */
const ANSWER_MS = 2_000;
/** Older figures are unknown. */
const STALE_MS = 3 * LOOK_AT_SPACE_MS;
/** Each call that hangs occupies one of the few threads that read files: with so many, no further disk is asked. */
const MOST_HANGING = 2;

export interface FreeSpaceDeps {
  watches: readonly {
    readonly watch: { readonly name: string; readonly root: string };
    readonly state: { readonly state: string };
  }[];
  /** Undefined if it is not known; may never answer. */
  diskSpace(root: string): Promise<DiskSpace | undefined>;
  warning: SpaceWarning;
  clock: Pick<Clock, "monotonicMs" | "wallMs" | "sleep">;
  log: Pick<SupervisorLog, "info" | "warn">;
}

interface Seen extends DiskSpace {
  atMs: number;
  /** Of the last half hour, oldest first. */
  samples: SpaceSample[];
  fullMs: number | undefined;
  fillingSinceUtc: string | undefined;
}

export class FreeSpace {
  readonly #deps: FreeSpaceDeps;
  readonly #seen = new Map<string, Seen>();
  /** Watches whose call has not been answered yet. */
  readonly #asked = new Set<string>();

  constructor(deps: FreeSpaceDeps) {
    this.#deps = deps;
  }

  /** What is known now, by watch. */
  get known(): WatchSpace[] {
    return this.#deps.watches.flatMap(({ watch: { name } }) => {
      const seen = this.#seen.get(name);
      if (!seen || this.#deps.clock.monotonicMs() - seen.atMs > STALE_MS) return [];
      return [
        {
          watch: name,
          free_bytes: seen.freeBytes,
          total_bytes: seen.totalBytes,
          ...(seen.fullMs === undefined ? {} : { full_in_ms: seen.fullMs }),
          ...(seen.fillingSinceUtc === undefined ? {} : { filling_since_utc: seen.fillingSinceUtc }),
        },
      ];
    });
  }

  /** Asks each disk once, one after the other. */
  async look(): Promise<void> {
    for (const { watch, state } of this.#deps.watches) {
      const { name, root } = watch;
      // What a missing volume leaves at its mount point is a directory of another disk.
      if (state.state === "offline") this.#seen.delete(name);
      else if (!this.#asked.has(name) && this.#asked.size < MOST_HANGING) await this.#ask(name, root);
    }
  }

  async #ask(name: string, root: string): Promise<void> {
    const { clock, diskSpace } = this.#deps;
    this.#asked.add(name);
    const answered = new AbortController();
    const answer = diskSpace(root).finally(() => this.#asked.delete(name));
    const late = clock.sleep(ANSWER_MS, answered.signal).then(() => "late" as const);
    const space = await Promise.race([answer, late]).finally(() => answered.abort());
    if (space === "late") return;
    if (space === undefined) this.#seen.delete(name);
    else this.#note(name, root, space);
  }

  #note(name: string, root: string, space: DiskSpace): void {
    const { clock, warning } = this.#deps;
    const atMs = clock.monotonicMs();
    const seen = this.#seen.get(name);
    // Another disk starts without samples.
    const before = seen?.device === space.device ? seen : undefined;
    const samples = (before?.samples ?? []).filter((sample) => atMs - sample.atMs <= RATE_WINDOW_MS);
    samples.push({ atMs, freeBytes: space.freeBytes });
    const fullMs = fullInMs(samples);
    const since = before?.fillingSinceUtc;
    const filling = isFilling(space, fullMs, warning, since !== undefined);
    const fillingSinceUtc = filling ? (since ?? new Date(clock.wallMs()).toISOString()) : undefined;
    this.#seen.set(name, { ...space, atMs, samples, fullMs, fillingSinceUtc });
    if (filling !== (since !== undefined)) this.#report(filling, name, root, space, fullMs);
  }

  #report(filling: boolean, watch: string, root: string, space: DiskSpace, fullMs: number | undefined): void {
    const { log } = this.#deps;
    const fields = { watch, root: displayPath(root), free_bytes: space.freeBytes, full_in_ms: fullMs };
    const free = `${formatBytes(space.freeBytes)} of ${formatBytes(space.totalBytes)} are free`;
    if (filling) {
      const until = fullMs === undefined ? "" : `, none in ${formatDuration(fullMs)} at this rate`;
      log.warn(
        { ...fields, detail: free + until, ...trouble("disk_fills") },
        `the disk of a watch fills: ${free}${until}; a writer fails when it is full`,
      );
    } else log.info(fields, `the disk of a watch has room again: ${free}`);
  }
}
