/**
 * Store trouble is not data trouble: a request of a stream is made until the store answers it. Only a key that stays
 * denied while the bucket answers, or bytes that keep arriving garbled, fail the stream.
 */
import { StoreError, StreamFailure } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import type { StreamRecord } from "../stream/record.ts";
import type { ProcessorDeps } from "./dependencies.ts";
import { backoffMs } from "./retry.ts";

type Deps = Pick<ProcessorDeps, "gate" | "clock" | "observer" | "random">;

export class PatientStore {
  readonly #deps: Deps;
  readonly #record: () => StreamRecord;
  #deniedSinceMs: number | undefined;
  #trouble: string | undefined;

  constructor(deps: Deps, record: () => StreamRecord) {
    this.#deps = deps;
    this.#record = record;
  }

  /** The store's last refusal of this stream alone, for `waiting_for`; undefined when the last request went through. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /**
   * `onUnknown` runs when a request may have been carried out although no answer came; what it returns, unless
   * undefined, is the answer.
   */
  async call<T>(
    what: string,
    request: () => Promise<T>,
    signal: AbortSignal,
    onUnknown?: () => Promise<T | undefined>,
  ): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const answer = await this.#deps.gate.run(request, signal);
        this.#deniedSinceMs = undefined;
        this.#trouble = undefined;
        return answer;
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
        signal.throwIfAborted();
        await this.#wait(error, what, attempt, signal);
        const found = error.outcomeUnknown ? await onUnknown?.() : undefined;
        if (found !== undefined) return found;
      }
    }
  }

  async #wait(error: StoreError, what: string, attempt: number, signal: AbortSignal): Promise<void> {
    this.#deps.observer.retried(this.#record(), what, error.code);
    this.#trouble = `${error.code}: ${error.message}`;
    switch (error.trouble) {
      case "unreachable":
      case "throttled":
      case "credentials":
      case "bucket":
        return; // the gate waits
      case "garbled":
        if (attempt >= LIMITS.garbledAttempts) {
          throw new StreamFailure("verify_mismatch", `${what} arrived damaged ${attempt} times: ${error.message}`, error);
        }
        break;
      case "denied":
        this.#deniedSinceMs ??= this.#deps.clock.monotonicMs();
        if (this.#deps.clock.monotonicMs() - this.#deniedSinceMs >= LIMITS.deniedKeyMs) {
          throw new StreamFailure("access_denied", `${what}: ${error.message}`, error);
        }
        break;
      case "rejected":
        break;
    }
    await this.#deps.clock.sleep(backoffMs(attempt, this.#deps.random(), error.retryAfterMs), signal);
  }
}
