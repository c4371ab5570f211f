/**
 * Whether the store gives a sign of life, over all exchanges together: one that is stuck beside others that go on is its
 * own affair; when nothing moves at all, that is known long before any of them is given up.
 */
import { LIMITS } from "@sluice/core";

export interface PulseOptions {
  /** After so long without a byte an exchange counts as silent. */
  quietMs?: number;
  /** And after so long it is given up. */
  giveUpMs?: number;
  /** All that is under way is silent. Told at most once for each exchange that falls silent. */
  onQuiet?(quietMs: number): void;
  nowMs?(): number;
}

/** Timers are late on a busy machine. */
const TIMER_SLACK_MS = 1_000;

export interface Beat extends Disposable {
  /** A byte of a reply came. */
  heard(): void;
  /** Nothing moved for `quietMs`, either way. Returns for how long that has been so without a break, ms. */
  quiet(): number;
}

export class StorePulse {
  readonly quietMs: number;
  readonly giveUpMs: number;
  readonly #onQuiet: (quietMs: number) => void;
  readonly #nowMs: () => number;
  readonly #underWay = new Set<{ beganMs: number; quietAtMs: number }>();
  #heardAtMs = -Infinity;

  constructor(options: PulseOptions = {}) {
    const { quietMs = LIMITS.storeQuietMs, giveUpMs = LIMITS.storeSilenceMs } = options;
    const { onQuiet, nowMs = () => performance.now() } = options;
    this.quietMs = quietMs;
    this.giveUpMs = giveUpMs;
    this.#onQuiet = onQuiet ?? (() => undefined);
    this.#nowMs = nowMs;
  }

  /** `maySayNothing`: its silence means nothing, as while the store assembles an object. */
  begin(maySayNothing = false): Beat {
    const beat = { beganMs: this.#nowMs(), quietAtMs: -Infinity };
    let quietSinceMs = 0;
    if (!maySayNothing) this.#underWay.add(beat);
    return {
      heard: () => void (this.#heardAtMs = this.#nowMs()),
      quiet: () => {
        const nowMs = this.#nowMs();
        if (nowMs - beat.quietAtMs > this.quietMs + TIMER_SLACK_MS) quietSinceMs = nowMs - this.quietMs;
        beat.quietAtMs = nowMs;
        if (this.#allQuiet(nowMs)) this.#onQuiet(nowMs - quietSinceMs);
        return nowMs - quietSinceMs;
      },
      [Symbol.dispose]: () => void this.#underWay.delete(beat),
    };
  }

  #allQuiet(nowMs: number): boolean {
    if (nowMs - this.#heardAtMs < this.quietMs) return false;
    const old = [...this.#underWay].filter(({ beganMs }) => nowMs - beganMs > this.quietMs);
    return old.every(({ quietAtMs }) => nowMs - quietAtMs <= this.quietMs + TIMER_SLACK_MS);
  }
}
