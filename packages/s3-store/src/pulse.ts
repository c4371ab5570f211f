/**
 * Whether the store responds, over all exchanges together: an exchange that hangs while others make progress is a
 * problem of its own; if none makes progress, that is known long before any of them is given up.
 */
import { LIMITS } from "@sluice/core";

export interface PulseOptions {
  /** After this long without a byte an exchange counts as silent. */
  quietMs?: number;
  /** After this long without a byte it is given up. */
  giveUpMs?: number;
  /** All exchanges are silent. Called at most once for each exchange that becomes silent. */
  onQuiet?(quietMs: number): void;
  nowMs?(): number;
}

/** Timers are late on a busy machine. */
const TIMER_SLACK_MS = 1_000;

export interface Beat extends Disposable {
  /** A byte of a reply arrived. */
  heard(): void;
  /** Nothing moved for `quietMs`, in either direction. Returns for how long that has lasted, ms. */
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

  /** `maySayNothing`: its silence means nothing, for example while the store assembles an object. */
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
