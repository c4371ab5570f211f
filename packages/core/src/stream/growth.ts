/**
 * Since when has a file had each of its bytes? The answer is the age of the data that would be lost with the disk now.
 *
 * A file is only checked at intervals, so the answer is the first check that showed the byte, or the file's ctime, if
 * that is before the check: every write updates it, and nobody can set it. So a byte is at least as old as reported,
 * never younger, and `earlierMs` says by how much it may be older. The memory is bounded: when it is full, the two
 * neighbours that are closest in time are merged, so the error is a small share of the time span.
 *
 * Times are on the monotonic clock. A restart begins from the record: the age of its oldest unprotected byte, and the
 * size at its last write.
 */
import type { FileFacts } from "./identity.ts";
import type { StreamRecord } from "./record.ts";

/** Sizes remembered for each stream. */
export const MOST_SIZES = 64;
/** Two checks are rarely further apart: an age with at most this error counts as exact. */
const LOOKS_APART_MS = 15_000;
/** So does one whose error is at most this share of it. */
const SHARE = 0.1;
/**
 * Kernels stamp files with the time of their last tick, up to this long before the write; a record's times are whole
 * ms.
 */
const STAMP_MS = 20;

export interface Moment {
  monotonicMs: number;
  /** Only to interpret the times of file system and record. */
  wallMs: number;
}

export interface FirstHad {
  /** Monotonic ms: the file had the byte by then. */
  atMs: number;
  /** By how much earlier it may have had it, ms; Infinity if nothing is known about the time before. */
  earlierMs: number;
}

interface Reached extends FirstHad {
  size: number;
}

type Stat = Pick<FileFacts, "size"> & Partial<Pick<FileFacts, "ctimeNs" | "birthtimeNs">>;
type Known = Pick<StreamRecord, "file_size" | "bytes_sent" | "started_at_utc"> &
  Partial<Pick<StreamRecord, "file_ctime_ns" | "file_birthtime_ns" | "unprotected_since_utc">>;

export class Growth {
  /** Sizes and times both ascend. */
  readonly #reached: Reached[] = [];
  #checkedAtMs = -Infinity;

  /** What a record says about the time before this process held its stream. */
  static from(record: Known, now: Moment): Growth {
    const growth = new Growth();
    const { file_size, bytes_sent, file_ctime_ns, file_birthtime_ns } = record;
    const stat: Stat = {
      size: file_size,
      ...(file_ctime_ns === undefined ? {} : { ctimeNs: file_ctime_ns }),
      ...(file_birthtime_ns === undefined ? {} : { birthtimeNs: file_birthtime_ns }),
    };
    const since = parsed(record.unprotected_since_utc);
    if (since !== undefined && file_size > bytes_sent) {
      const atMs = onMonotonic(since, now);
      // What a stream found when it began may be as old as its file.
      const found = since <= (parsed(record.started_at_utc) ?? Infinity);
      const earliest = found ? (bornMs(stat, now) ?? -Infinity) : atMs;
      growth.#reached.push({ size: bytes_sent + 1, atMs, earlierMs: Math.max(0, atMs - earliest) });
      growth.#checkedAtMs = atMs;
    }
    growth.see(stat, now);
    // The record has its own age: what came after it came at any time until the first check.
    const last = growth.#reached.at(-1);
    if (last) growth.#checkedAtMs = last.atMs;
    return growth;
  }

  /** The largest size known. */
  get size(): number {
    return this.#reached.at(-1)?.size ?? 0;
  }

  /** A check of the file. `bytesSent`: sizes up to there need no longer be distinguished. */
  see(stat: Stat, now: Moment, bytesSent = 0): void {
    this.#shrinkTo(stat.size);
    if (stat.size > this.size) {
      const atMs = this.#lastWriteMs(stat, now);
      // No byte is older than its file.
      const born = Math.min(bornMs(stat, now) ?? -Infinity, atMs);
      const earliest = Math.max(this.#checkedAtMs, born);
      this.#reached.push({ size: stat.size, atMs, earlierMs: atMs - earliest });
    }
    this.#checkedAtMs = Math.max(this.#checkedAtMs, now.monotonicMs);
    this.#forgetTo(bytesSent);
    if (this.#reached.length > MOST_SIZES) this.#mergeClosest();
  }

  /** When the file first was longer than this many bytes; undefined if it never was, as far as is known. */
  firstPast(bytes: number): FirstHad | undefined {
    const found = this.#reached.find(({ size }) => size > bytes);
    return found && { atMs: found.atMs, earlierMs: found.earlierMs };
  }

  /** Between the check before and this one; now, if the file system's own clock reports something impossible. */
  #lastWriteMs({ ctimeNs }: Stat, now: Moment): number {
    const atMs = ctimeNs === undefined ? now.monotonicMs : onMonotonic(msOf(ctimeNs), now);
    return atMs > this.#checkedAtMs - STAMP_MS ? Math.max(atMs, this.#checkedAtMs) : now.monotonicMs;
  }

  #shrinkTo(size: number): void {
    for (let last = this.#reached.at(-1); last && last.size > size; last = this.#reached.at(-1)) {
      this.#reached.pop();
      const before = this.#reached.at(-1)?.size ?? 0;
      if (before < size) this.#reached.push({ ...last, size });
    }
  }

  /** The first is kept, because an upload that S3 lost begins at byte 0 again. */
  #forgetTo(bytes: number): void {
    const from = this.#reached.findIndex(({ size }, at) => at > 0 && size > bytes);
    const until = from < 0 ? this.#reached.length - 1 : from;
    if (until > 1) this.#reached.splice(1, until - 1);
  }

  #mergeClosest(): void {
    let at = 1;
    for (let one = 2; one < this.#reached.length - 1; one += 1) if (this.#gap(one) < this.#gap(at)) at = one;
    const [gone, next] = [this.#reached[at], this.#reached[at + 1]];
    if (!gone || !next) return;
    next.earlierMs = next.atMs - (gone.atMs - gone.earlierMs);
    this.#reached.splice(at, 1);
  }

  /** The length of time that the entry after this one would represent. */
  #gap(at: number): number {
    return (this.#reached[at + 1]?.atMs ?? Infinity) - (this.#reached[at - 1]?.atMs ?? -Infinity);
  }
}

/** False: only "at least this old" can be said. */
export function isExact({ atMs, earlierMs }: FirstHad, nowMs: number): boolean {
  return earlierMs <= Math.max(LOOKS_APART_MS, (nowMs - atMs) * SHARE);
}

/** For the record and for display: a monotonic time as ms since 1970. */
export function onWall(atMs: number, now: Moment): number {
  return now.wallMs - (now.monotonicMs - atMs);
}

/** Nothing is younger than now, whatever its clock says. */
function onMonotonic(wallMs: number, now: Moment): number {
  return now.monotonicMs - Math.max(0, now.wallMs - wallMs);
}

function bornMs({ birthtimeNs }: Stat, now: Moment): number | undefined {
  return birthtimeNs === undefined ? undefined : onMonotonic(msOf(birthtimeNs), now);
}

/** Rounded up, because "at least this old" allows a later time. */
function msOf(ns: string): number {
  return Number((BigInt(ns) + 999_999n) / 1_000_000n);
}

function parsed(iso: string | undefined): number | undefined {
  const ms = iso === undefined ? NaN : Date.parse(iso);
  return Number.isNaN(ms) ? undefined : ms;
}
