/**
 * What a stream has seen of its file over time: when it last changed, and the longest pause between its writes. A pause
 * is the writer's only as far as it was looked at: while this process could not look (it was frozen, Redis or the store
 * hung), the writer may have gone on. So mtimes say how long a pause was, and what was seen bounds what they say.
 */
import { unchanged, type FileFacts } from "../stream/identity.ts";

/** How late a look may be on a busy machine without anything having held us up. */
const LATE_MS = 1_000;

export class FileHistory {
  #last: FileFacts | undefined;
  #lookedAtMs: number;
  /** When the next look is due at the latest. */
  #nextLookMs: number;
  #changedAtMs: number;
  #steadySinceMs = 0;
  #changes = 0;
  #rate: number | undefined;
  #longestPauseMs: number;

  constructor(nowMs: number, longestPauseMs: number) {
    this.#lookedAtMs = nowMs;
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

  /** How fast it grew between the last two looks; undefined when the last one found no change. */
  get bytesPerMs(): number | undefined {
    return this.#rate;
  }

  /** Since when nothing about the file was seen to move, ctime included. */
  steadyMs(nowMs: number): number {
    return nowMs - this.#steadySinceMs;
  }

  /** By the monotonic clock, from when the change was seen. */
  quietMs(nowMs: number): number {
    return nowMs - this.#changedAtMs;
  }

  /** Quiet for longer than it ever was between two writes, or not seen to change at all. */
  isQuiet(nowMs: number): boolean {
    return this.#changes === 0 || this.quietMs(nowMs) > this.#longestPauseMs;
  }

  /** The file is looked at again after this long, or sooner; unless what followed the last look was held up already. */
  nextLookIn(ms: number, nowMs: number): void {
    if (nowMs <= this.#lookedAtMs + LATE_MS) this.#nextLookMs = nowMs + ms;
  }

  /** Returns whether the file changed since the last look. The first look is no change. */
  see(facts: FileFacts, nowMs: number): boolean {
    const last = this.#last;
    const seenQuietMs = this.#lookedAtMs - this.#changedAtMs;
    const heldUp = nowMs > this.#nextLookMs + LATE_MS;
    const sinceMs = Math.max(1, nowMs - this.#lookedAtMs);
    this.#rate = undefined;
    this.#last = facts;
    this.#lookedAtMs = nowMs;
    // At once, unless a wait is announced: what holds a step up is ours.
    this.#nextLookMs = nowMs;
    if (!last || !unchanged(last, facts)) this.#steadySinceMs = nowMs;
    if (!last || (last.size === facts.size && last.mtimeNs === facts.mtimeNs)) return false;
    this.#rate = (facts.size - last.size) / sinceMs;
    // A pause lies between two writes that were both seen; the time before the first is none.
    if (this.#changes > 0) {
      const mostMs = heldUp ? seenQuietMs : nowMs - this.#changedAtMs;
      this.#longestPauseMs = Math.max(this.#longestPauseMs, pauseMs(last, facts, mostMs));
    }
    this.#changes += 1;
    this.#changedAtMs = nowMs;
    return true;
  }
}

/** Times that were set (copied, restored, `touch`) say nothing; the pause that was seen bounds all others. */
function pauseMs(before: FileFacts, after: FileFacts, mostMs: number): number {
  const byMtimeMs = Number((BigInt(after.mtimeNs) - BigInt(before.mtimeNs)) / 1_000_000n);
  return byMtimeMs > 0 ? Math.min(byMtimeMs, mostMs) : mostMs;
}
