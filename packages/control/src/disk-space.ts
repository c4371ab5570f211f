/** The disks of the watches, as living workers report them: which is the fullest, and which should be said. */
import type { WatchSpace } from "@sluice/redis-schema/records/worker";
import type { WorkerListing } from "@sluice/redis-schema/worker-registry";
import { formatBytes, formatDuration } from "./units.ts";
import { DATA_AGE_MS } from "./verdict.ts";

export interface Disk extends WatchSpace {
  source: string;
  /** The worker that reports it, and the host it runs on. */
  worker: string;
  host: string;
}

/** One for each watch, the fullest first. What an older report says is not known any longer. */
export function disksOf(listings: readonly WorkerListing[]): Disk[] {
  const disks = new Map<string, Disk>();
  for (const { id, ageMs = 0, lease } of listings) {
    if (lease.kind !== "ok" || ageMs > DATA_AGE_MS) continue;
    const { source, host, free_space: spaces = [] } = lease.value;
    for (const space of spaces) {
      const key = `${source}/${space.watch}`;
      // Several workers of one source look at the same files; each may have warned at another time.
      const known = disks.get(key);
      const disk = { ...space, source, worker: id, host };
      if (known === undefined || fuller(disk, known) < 0) disks.set(key, disk);
    }
  }
  return [...disks.values()].sort(fuller);
}

/** Those that SLUICE_FREE_SPACE_WARNING asks to be warned of. */
export function fillingDisks(listings: readonly WorkerListing[]): Disk[] {
  return disksOf(listings).filter(({ filling_since_utc }) => filling_since_utc !== undefined);
}

/** The one that a warning is for comes first, then the one that is full soonest, then the one with the smallest share. */
function fuller(a: Disk, b: Disk): number {
  const [warnedA, warnedB] = [a, b].map(({ filling_since_utc }) => (filling_since_utc === undefined ? 1 : 0));
  const soonest = (a.full_in_ms ?? Infinity) - (b.full_in_ms ?? Infinity);
  return (
    (warnedA ?? 0) - (warnedB ?? 0) || (Number.isNaN(soonest) ? 0 : soonest) || freeShare(a) - freeShare(b)
  );
}

function freeShare({ free_bytes: free, total_bytes: total }: WatchSpace): number {
  return total === 0 ? 0 : free / total;
}

/** Hours in which somebody can still act, or so little room that a writer may fail at any moment. */
const URGENT_MS = 3_600_000;
const URGENT_SHARE = 0.01;

/** Whether so little space or time is left that it is a problem and no longer a note. */
export function isUrgent(space: WatchSpace): boolean {
  return freeShare(space) < URGENT_SHARE || (space.full_in_ms ?? Infinity) < URGENT_MS;
}

/** "12 GiB of 100 GiB free, full in 3 h at this rate" */
export function spaceWords({ free_bytes: free, total_bytes: total, full_in_ms: fullMs }: WatchSpace): string {
  const when = fullMs === undefined ? "" : `, full in ${formatDuration(fullMs)} at this rate`;
  return `${formatBytes(free)} of ${formatBytes(total)} free${when}`;
}

/** What to do about it; a writer that finds its disk full loses what it cannot write. */
export const FILLING_REMEDY =
  "Make room before it is full: a recorder that cannot write loses what it records. Delete files whose streams are completed, let SLUICE_AFTER_UPLOAD do so, or find out what holds up the uploads.";

/** One sentence for the terminal; undefined if no disk fills. */
export function fillingSentence(listings: readonly WorkerListing[]): string | undefined {
  const [first, ...others] = fillingDisks(listings);
  if (!first) return undefined;
  const more = others.length === 0 ? "" : ` So do those of ${others.map(({ watch }) => watch).join(", ")}.`;
  return `The disk of watch ${first.watch} on ${first.host} fills: ${spaceWords(first)}.${more}`;
}
