/** What a stream has seen of its file over time: when it last changed, and the longest pause between its writes. */
import { unchanged, type FileFacts } from "../stream/identity.ts";

export class FileHistory {
  #last: FileFacts | undefined;
  #changedAtMs: number;
  #steadySinceMs = 0;
  #changes = 0;
  #longestPauseMs: number;

  constructor(nowMs: number, longestPauseMs: number) {
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

  /** Since when nothing about the file was seen to move, ctime included. */
  steadyMs(nowMs: number): number {
    return nowMs - this.#steadySinceMs;
  }

  quietMs(nowMs: number): number {
    return nowMs - this.#changedAtMs;
  }

  /** Returns whether the file changed since the last look. The first look is no change. */
  see(facts: FileFacts, nowMs: number): boolean {
    const last = this.#last;
    this.#last = facts;
    if (!last || !unchanged(last, facts)) this.#steadySinceMs = nowMs;
    if (!last || (last.size === facts.size && last.mtimeNs === facts.mtimeNs)) return false;
    // A pause lies between two writes that were both seen; the time before the first is none.
    if (this.#changes > 0) this.#longestPauseMs = Math.max(this.#longestPauseMs, nowMs - this.#changedAtMs);
    this.#changes += 1;
    this.#changedAtMs = nowMs;
    return true;
  }
}
