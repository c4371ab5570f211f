/** Logs an outage when it begins, less and less often while it lasts, and once when it is over. */
import { trouble, type TroubleCode } from "@sluice/control/troubles";
import type { Clock } from "@sluice/core";

const FIRST_REMINDER_MS = 60_000;
/** The time between reminders doubles up to this. */
const LONGEST_SILENCE_MS = 60 * 60_000;

export interface OutageWords {
  begins: string;
  over: string;
  /** Marks the line that says that it begins. */
  code?: TroubleCode;
}

interface OutageLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export class Outage {
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #log: OutageLog;
  readonly #words: OutageWords;
  #now: { reason: string; sinceMs: number; reportedAtMs: number; silenceMs: number } | undefined;

  constructor(clock: Pick<Clock, "monotonicMs">, log: OutageLog, words: OutageWords) {
    this.#clock = clock;
    this.#log = log;
    this.#words = words;
  }

  /** The current problem; undefined if there is none. */
  get reason(): string | undefined {
    return this.#now?.reason;
  }

  /** Called when the problem begins, and each time it is seen again. */
  during(reason: string): void {
    const nowMs = this.#clock.monotonicMs();
    if (!this.#now) {
      this.#now = { reason, sinceMs: nowMs, reportedAtMs: nowMs, silenceMs: FIRST_REMINDER_MS };
      const { code, begins } = this.#words;
      this.#log.warn({ reason, ...(code === undefined ? {} : trouble(code)) }, begins);
      return;
    }
    this.#now.reason = reason;
    if (nowMs - this.#now.reportedAtMs < this.#now.silenceMs) return;
    this.#now.reportedAtMs = nowMs;
    this.#now.silenceMs = Math.min(2 * this.#now.silenceMs, LONGEST_SILENCE_MS);
    this.#log.warn({ reason, for_s: seconds(nowMs - this.#now.sinceMs) }, `still: ${this.#words.begins}`);
  }

  over(): void {
    if (!this.#now) return;
    const lastedMs = this.#clock.monotonicMs() - this.#now.sinceMs;
    this.#now = undefined;
    this.#log.info({ after_s: seconds(lastedMs) }, this.#words.over);
  }
}

function seconds(ms: number): number {
  return Math.round(ms / 1_000);
}
