/**
 * At start, too, Redis in trouble is waited for: away, slow, full, read-only, loading, refusing to save or to know us.
 * Each step of the start is tried until it goes through; meanwhile the process stays up and says what it waits for.
 */
import { CheckpointError, backoffMs, type Clock } from "@sluice/core";
import { Outage } from "../observe/outage.ts";
import type { SupervisorLog } from "../streams/supervisor.ts";

export class RedisPatience {
  readonly #clock: Pick<Clock, "monotonicMs" | "sleep">;
  readonly #random: () => number;
  readonly #outage: Outage;

  constructor(clock: Pick<Clock, "monotonicMs" | "sleep">, random: () => number, log: SupervisorLog) {
    this.#clock = clock;
    this.#random = random;
    this.#outage = new Outage(clock, log, {
      begins: "Redis is in trouble: the start waits for it",
      over: "Redis answers again: the start goes on",
    });
  }

  /** What the start waits for, in plain words; undefined while it waits for nothing. */
  get trouble(): string | undefined {
    return this.#outage.reason;
  }

  /** The connection says why there is none. */
  note(trouble: string): void {
    this.#outage.during(trouble);
  }

  /** Tries `work` until Redis lets it through; `work` may have been done in part when it is tried again. */
  async wait<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      signal.throwIfAborted();
      try {
        const done = await work();
        this.#outage.over();
        return done;
      } catch (error) {
        if (!(error instanceof CheckpointError) || signal.aborted) throw error;
        this.#outage.during(error.message);
      }
      await this.#clock.sleep(Math.min(MOST_MS, backoffMs(attempt, this.#random())), signal);
    }
  }
}

/** Someone watches the start: what has healed is seen soon. */
const MOST_MS = 5_000;
