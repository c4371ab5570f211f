/**
 * An unavailable store never damages data: a request of a stream is repeated until the store answers it. The stream
 * fails only if its key stays denied or refused for its name while the bucket answers, or if bytes keep arriving
 * damaged.
 */
import { StoreError, StreamFailure } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { isoNow } from "../ports/clock.ts";
import { formatWaiting, type Waiting } from "../stream/waiting.ts";
import type { ProcessorDeps } from "./dependencies.ts";
import type { OwnedStream } from "./owned-stream.ts";
import { backoffMs } from "./retry.ts";
import type { Asking } from "./store-gate.ts";

type StoreTroubled = Extract<Waiting, { for: "store" }>;

type Deps = Pick<ProcessorDeps, "gate" | "clock" | "observer" | "random">;

interface Call<T> {
  what: string;
  kind: NonNullable<Asking["kind"]>;
  request: () => Promise<T>;
  signal: AbortSignal;
  onUnknown: (() => Promise<T | undefined>) | undefined;
}

/** The stream that makes the requests and reports why it waits. */
export type WaitingStream = Pick<OwnedStream, "record" | "update">;

export class PatientStore {
  readonly #deps: Deps;
  readonly #stream: WaitingStream;
  #deniedSinceMs: number | undefined;
  #trouble: StoreTroubled | undefined;
  /** Number of running look-ups that find out the outcome of a request. */
  #lookUps = 0;
  /** Number of answered requests. */
  #answered = 0;

  constructor(deps: Deps, stream: WaitingStream) {
    this.#deps = deps;
    this.#stream = stream;
  }

  /** The store's last refusal of this stream alone, for `waiting_for`; undefined if the last request succeeded. */
  get trouble(): StoreTroubled | undefined {
    return this.#trouble;
  }

  /** What the whole worker waits for; undefined while the store works. */
  get blocked(): StoreTroubled | undefined {
    const { clock, gate } = this.#deps;
    const { blocked, reason = "", sinceMs = clock.monotonicMs() } = gate.state;
    if (!blocked) return undefined;
    const since = new Date(clock.wallMs() - (clock.monotonicMs() - sinceMs)).toISOString();
    return { for: "store", detail: reason, since };
  }

  /**
   * A request without bytes of the file. `onUnknown` runs if the request may have been carried out although there was
   * no answer; its result, unless undefined, is the answer.
   */
  async ask<T>(
    what: string,
    request: () => Promise<T>,
    signal: AbortSignal,
    onUnknown?: () => Promise<T | undefined>,
  ): Promise<T> {
    return await this.#call({ what, kind: "asks", request, signal, onUnknown });
  }

  /** As `ask`, with bytes of the file: a store may fail all of these requests, and answer the others. */
  async send<T>(
    what: string,
    request: () => Promise<T>,
    signal: AbortSignal,
    onUnknown?: () => Promise<T | undefined>,
  ): Promise<T> {
    return await this.#call({ what, kind: "sends", request, signal, onUnknown });
  }

  async #call<T>(call: Call<T>): Promise<T> {
    try {
      return await this.#untilAnswered(call);
    } catch (error) {
      this.#deps.gate.gaveUp(this.#stream.record.id);
      throw error;
    }
  }

  async #untilAnswered<T>({ what, kind, request, signal, onUnknown }: Call<T>): Promise<T> {
    const by = this.#stream.record.id;
    for (const counts = { attempts: 0, garbled: 0, name: 0 }; ;) {
      try {
        await this.#notifyBlocked();
        // A store that answers look-ups, but repeatedly fails the request they are about, does not work.
        const answer = await this.#deps.gate.run(request, signal, {
          by,
          kind,
          provesRecovery: this.#lookUps === 0,
        });
        this.#answered += 1;
        this.#deniedSinceMs = undefined;
        // An answered look-up says nothing about the request that it concerns.
        if (kind === "sends" || this.#lookUps === 0) this.#trouble = undefined;
        return answer;
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
        signal.throwIfAborted();
        counts.attempts += 1;
        if (error.trouble === "garbled") counts.garbled += 1;
        await this.#wait(error, what, counts, signal);
        const answered = this.#answered;
        const found = error.outcomeUnknown && onUnknown ? await this.#lookUp(onUnknown) : undefined;
        if (found === undefined) continue;
        this.#trouble = undefined;
        if (this.#answered > answered) this.#deps.gate.answered({ by, kind });
        return found;
      }
    }
  }

  async #lookUp<T>(onUnknown: () => Promise<T>): Promise<T> {
    this.#lookUps += 1;
    try {
      return await onUnknown();
    } finally {
      this.#lookUps -= 1;
    }
  }

  async #wait(
    error: StoreError,
    what: string,
    counts: { attempts: number; garbled: number; name: number },
    signal: AbortSignal,
  ): Promise<void> {
    this.#deps.observer.retried(this.#stream.record, what, error.code);
    switch (error.trouble) {
      case "unreachable":
      case "throttled":
      case "credentials":
      case "bucket":
        return; // A problem of the whole worker: its gate waits, and reports it for all streams.
      case "garbled":
        if (counts.garbled >= LIMITS.garbledAttempts) {
          throw new StreamFailure(
            "verify_mismatch",
            `${what} arrived damaged ${counts.garbled} times: ${error.message}`,
            error,
          );
        }
        break;
      case "denied":
        this.#deniedSinceMs ??= this.#deps.clock.monotonicMs();
        if (this.#deps.clock.monotonicMs() - this.#deniedSinceMs >= LIMITS.deniedKeyMs) {
          throw new StreamFailure("access_denied", `${what}: ${error.message}`, error);
        }
        break;
      case "not_ours":
        throw new StreamFailure("access_denied", error.message, error);
      case "name":
        // Each time another key was found to work.
        counts.name += 1;
        if (counts.name >= LIMITS.nameRefusals) {
          throw new StreamFailure("name_refused", `${what}: ${error.message}`, error);
        }
        break;
      // With its own pause even while the gate is closed, because the gate admits a stream that alone gets this error.
      case "failing":
      case "rejected":
        break;
    }
    await this.#notify(`${what}: ${error.code}: ${error.message}`, counts.attempts);
    await this.#deps.clock.sleep(backoffMs(counts.attempts, this.#deps.random(), error.retryAfterMs), signal);
  }

  /** A request waits at the gate as long as the store is unavailable. */
  async #notifyBlocked(): Promise<void> {
    const { blocked } = this;
    if (blocked === undefined || this.#trouble !== undefined) return;
    this.#trouble = blocked;
    await this.#write(blocked);
  }

  /**
   * A stream always reports why it is not final yet; the same text is written again only at attempts whose number is a
   * power of two.
   */
  async #notify(detail: string, attempts: number): Promise<void> {
    const { clock } = this.#deps;
    const known = this.#trouble;
    if (known?.detail === detail && (attempts & (attempts - 1)) !== 0) return;
    const since = known?.since ?? isoNow(clock);
    this.#trouble = { for: "store", detail, since, attempts };
    await this.#write(this.#trouble);
  }

  async #write(waiting: StoreTroubled): Promise<void> {
    await this.#stream.update({
      patch: { waiting_for: formatWaiting(waiting) },
      event: { type: "progress" },
    });
  }
}
