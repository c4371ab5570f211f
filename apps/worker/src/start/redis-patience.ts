/**
 * The start waits for Redis too: while it is unreachable, slow, full, read-only, loading, or refuses to save or to
 * authenticate. Each step of the start is retried until it succeeds; meanwhile the process stays up and says what it
 * waits for.
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
      begins: "Redis is unavailable: the start waits for it",
      over: "Redis answers again: the start continues",
      code: "redis_unreachable",
    });
  }

  /** What the start waits for; undefined if nothing. */
  get trouble(): string | undefined {
    return this.#outage.reason;
  }

  /** The connection reports why there is none. */
  note(trouble: string): void {
    this.#outage.during(trouble);
  }

  /** Retries `work` until Redis accepts it; part of `work` may have been done already when it is retried. */
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

/** Short, because somebody may be watching the start: a recovered Redis is noticed soon. */
const MOST_MS = 5_000;
