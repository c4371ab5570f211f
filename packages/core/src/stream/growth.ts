/**
 * Since when has a file had each of its bytes? The answer is the age of what would be lost with the disk now.
 *
 * A file is only looked at now and then, so the answer is the first look that showed the byte, or the file's ctime, if that
 * lies before the look: every write moves it, and nobody can set it. So a byte is at least as old as said, never younger,
 * and `earlierMs` says by how much it may be older. The memory is bounded: when it is full, the two neighbours that are
 * closest in time become one, so what is said errs by a small share of the time that it spans.
 *
 * Times count on the monotonic clock. A restart begins from the record: the age of its oldest unprotected byte, and the
 * size that it had at its last write.
 */
import type { FileFacts } from "./identity.ts";
import type { StreamRecord } from "./record.ts";

/** Sizes remembered for each stream. */
export const MOST_SIZES = 64;
/** Two looks are rarely further apart: an age that errs by no more is called exact. */
const LOOKS_APART_MS = 15_000;
/** So is one that errs by no more than this share of itself. */
const SHARE = 0.1;
/** Kernels stamp files with the time of their last tick, up to so much before the write; a record's times are whole ms. */
const STAMP_MS = 20;

export interface Moment {
  monotonicMs: number;
  /** Only to understand what file system and record say. */
  wallMs: number;
}

export interface FirstHad {
  /** Monotonic ms: the file had the byte by then. */
  atMs: number;
  /** By how much earlier it may have had it, ms; Infinity where nothing is known of the time before. */
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
  #lookedAtMs = -Infinity;

  /** What a record says of the time before this process held its stream. */
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
      growth.#lookedAtMs = atMs;
    }
    growth.see(stat, now);
    // The record is as old as it is: what came after it came at any time until the first look.
    const last = growth.#reached.at(-1);
    if (last) growth.#lookedAtMs = last.atMs;
    return growth;
  }

  /** The largest size known. */
  get size(): number {
    return this.#reached.at(-1)?.size ?? 0;
  }

  /** A look at the file. `bytesSent`: sizes up to there need not be told apart any more. */
  see(stat: Stat, now: Moment, bytesSent = 0): void {
    this.#shrinkTo(stat.size);
    if (stat.size > this.size) {
      const atMs = this.#lastWriteMs(stat, now);
      // No byte is older than its file.
      const born = Math.min(bornMs(stat, now) ?? -Infinity, atMs);
      const earliest = Math.max(this.#lookedAtMs, born);
      this.#reached.push({ size: stat.size, atMs, earlierMs: atMs - earliest });
    }
    this.#lookedAtMs = Math.max(this.#lookedAtMs, now.monotonicMs);
    this.#forgetTo(bytesSent);
    if (this.#reached.length > MOST_SIZES) this.#mergeClosest();
  }

  /** When the file first was longer than so many bytes; undefined when it never was, as far as is known. */
  firstPast(bytes: number): FirstHad | undefined {
    const found = this.#reached.find(({ size }) => size > bytes);
    return found && { atMs: found.atMs, earlierMs: found.earlierMs };
  }

  /** Between the look before and this one; now, where the file system's own clock says what cannot be. */
  #lastWriteMs({ ctimeNs }: Stat, now: Moment): number {
    const atMs = ctimeNs === undefined ? now.monotonicMs : onMonotonic(msOf(ctimeNs), now);
    return atMs > this.#lookedAtMs - STAMP_MS ? Math.max(atMs, this.#lookedAtMs) : now.monotonicMs;
  }

  #shrinkTo(size: number): void {
    for (let last = this.#reached.at(-1); last && last.size > size; last = this.#reached.at(-1)) {
      this.#reached.pop();
      const before = this.#reached.at(-1)?.size ?? 0;
      if (before < size) this.#reached.push({ ...last, size });
    }
  }

  /** The first is kept: an upload that S3 lost begins at byte 0 again. */
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

  /** How long the time would be that the one after this one stands for. */
  #gap(at: number): number {
    return (this.#reached[at + 1]?.atMs ?? Infinity) - (this.#reached[at - 1]?.atMs ?? -Infinity);
  }
}

/** False: "at least so old" is all that can be said. */
export function isExact({ atMs, earlierMs }: FirstHad, nowMs: number): boolean {
  return earlierMs <= Math.max(LOOKS_APART_MS, (nowMs - atMs) * SHARE);
}

/** For the record and people: ms since 1970 of a monotonic time. */
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

/** Rounded up: later is what "at least so old" allows. */
function msOf(ns: string): number {
  return Number((BigInt(ns) + 999_999n) / 1_000_000n);
}

function parsed(iso: string | undefined): number | undefined {
  const ms = iso === undefined ? NaN : Date.parse(iso);
  return Number.isNaN(ms) ? undefined : ms;
}
