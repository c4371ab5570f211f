/**
 * What a stream has seen of its file over time: when it last changed, and the longest pause between its writes. Only
 * what was observed counts as the writer's pause: while this process could not check (it was frozen, Redis or the store
 * hung), the writer may have continued. So mtimes say how long a pause was, limited by what was observed.
 */
import { unchanged, type FileFacts } from "../stream/identity.ts";

/** How late a check may be on a busy machine without this process having been blocked. */
const LATE_MS = 1_000;

export class FileHistory {
  #last: FileFacts | undefined;
  #checkedAtMs: number;
  /** When the next check is due at the latest. */
  #nextLookMs: number;
  #changedAtMs: number;
  #steadySinceMs = 0;
  #changes = 0;
  #rate: number | undefined;
  #longestPauseMs: number;

  constructor(nowMs: number, longestPauseMs: number) {
    this.#checkedAtMs = nowMs;
    this.#nextLookMs = nowMs;
    this.#changedAtMs = nowMs;
    this.#longestPauseMs = longestPauseMs;
  }

  get longestPauseMs(): number {
    return this.#longestPauseMs;
  }

  /** Whether the file has not been seen yet. */
  get firstLook(): boolean {
    return this.#last === undefined;
  }

  /** As last seen. */
  get last(): FileFacts | undefined {
    return this.#last;
  }

  /** How fast it grew between the last two checks; undefined if the last one found no change. */
  get bytesPerMs(): number | undefined {
    return this.#rate;
  }

  /** How long nothing about the file has changed, ctime included. */
  steadyMs(nowMs: number): number {
    return nowMs - this.#steadySinceMs;
  }

  /** On the monotonic clock, from the time when the change was seen. */
  quietMs(nowMs: number): number {
    return nowMs - this.#changedAtMs;
  }

  /** Quiet for longer than it ever was between two writes, or not seen to change at all. */
  isQuiet(nowMs: number): boolean {
    return this.#changes === 0 || this.quietMs(nowMs) > this.#longestPauseMs;
  }

  /** The file is checked again after this time, or sooner, unless what followed the last check was already delayed. */
  nextLookIn(ms: number, nowMs: number): void {
    if (nowMs <= this.#checkedAtMs + LATE_MS) this.#nextLookMs = nowMs + ms;
  }

  /** Returns whether the file has changed since the last check. The first check is no change. */
  see(facts: FileFacts, nowMs: number): boolean {
    const last = this.#last;
    const seenQuietMs = this.#checkedAtMs - this.#changedAtMs;
    const heldUp = nowMs > this.#nextLookMs + LATE_MS;
    const sinceMs = Math.max(1, nowMs - this.#checkedAtMs);
    this.#rate = undefined;
    this.#last = facts;
    this.#checkedAtMs = nowMs;
    // Due at once, unless a wait is announced: delays within a step are ours.
    this.#nextLookMs = nowMs;
    if (!last || !unchanged(last, facts)) this.#steadySinceMs = nowMs;
    if (!last || (last.size === facts.size && last.mtimeNs === facts.mtimeNs)) return false;
    this.#rate = (facts.size - last.size) / sinceMs;
    // A pause is between two writes that were both seen; the time before the first does not count.
    if (this.#changes > 0) {
      const mostMs = heldUp ? seenQuietMs : nowMs - this.#changedAtMs;
      this.#longestPauseMs = Math.max(this.#longestPauseMs, pauseMs(last, facts, mostMs));
    }
    this.#changes += 1;
    this.#changedAtMs = nowMs;
    return true;
  }
}

/** Times that were set (by a copy, a restore, `touch`) mean nothing; the observed pause limits all others. */
function pauseMs(before: FileFacts, after: FileFacts, mostMs: number): number {
  const byMtimeMs = Number((BigInt(after.mtimeNs) - BigInt(before.mtimeNs)) / 1_000_000n);
  return byMtimeMs > 0 ? Math.min(byMtimeMs, mostMs) : mostMs;
}
