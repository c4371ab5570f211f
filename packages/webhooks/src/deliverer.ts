/**
 * Delivers the messages of the outbox to the receiver at least once, in order per stream; a message that is too old is
 * dropped and counted. Only the process that has the turn delivers; streams never wait for it.
 */
import { trouble } from "@sluice/control/troubles";
import { CheckpointError, assert, backoffMs, type Clock } from "@sluice/core";
import {
  KEPT,
  type Deliveries,
  type Outbox,
  type OutboxMessage,
  type WaitingMessage,
} from "@sluice/redis-schema";

export interface Message {
  id: string;
  body: string;
}

export type Answer =
  | { kind: "accepted" }
  /** `reason`: one of few, for metrics; `detail`: for people. */
  | { kind: "failed"; reason: string; detail: string; retryAfterMs: number };

/** From the first byte sent to the end of the answer. */
export const CALL_MS = 10_000;
/** One request to the receiver; it ends within CALL_MS. */
export type Post = (message: Message, signal: AbortSignal) => Promise<Answer>;

export interface DelivererDeps {
  outbox: Outbox;
  deliveries: Deliveries;
  post: Post;
  maxAgeMs: number;
  clock: Clock;
  random(): number;
  tally: DeliveryTally;
  log: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
}

/** Counted for metrics. */
export interface DeliveryTally {
  delivered(event: string): void;
  failed(reason: string): void;
  dropped(reason: "expired" | "full" | "unreadable", count: number): void;
}

/** How often the outbox is read. */
const LOOK_EVERY_MS = 1_000;
const PAGE = 100;
/** Concurrent requests, each for another stream. */
const AT_ONCE = 8;
/** The turn is renewed before a request if it is older than this. */
const RENEW_TURN_MS = 3_000;
/** Time for the last messages when the process shuts down. */
const FAREWELL_MS = 1_500;

assert(RENEW_TURN_MS + CALL_MS < KEPT.turnMs, "a call ends before the turn that allowed it");

interface Retry {
  attempts: number;
  dueMs: number;
}

export class Deliverer implements AsyncDisposable {
  readonly #deps: DelivererDeps;
  readonly #stop = new AbortController();
  /** By stream: how often its oldest message failed, and when it is due again. */
  readonly #retries = new Map<string, Retry>();
  #turnTakenMs = -Infinity;
  /** Consecutive rounds in which messages were sent but none was accepted. */
  #consecutiveFailures = 0;
  #running: Promise<void> | undefined;

  constructor(deps: DelivererDeps) {
    this.#deps = deps;
  }

  /** Whether this process is the one that delivers. */
  get hasTurn(): boolean {
    return this.#deps.clock.monotonicMs() - this.#turnTakenMs < KEPT.turnMs;
  }

  start(onFault: (error: unknown) => void): void {
    this.#running = this.#run().catch(onFault);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort();
    await this.#running;
    await this.#unlessRedisIsAway(async () => {
      const [late, done] = [new AbortController(), new AbortController()];
      const limit = this.#deps.clock.sleep(FAREWELL_MS, done.signal).then(() => late.abort());
      await this.#round(late.signal).finally(() => done.abort());
      await limit;
      await this.#deps.outbox.endTurn();
    });
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    const { clock, random } = this.#deps;
    while (!signal.aborted) {
      await this.#unlessRedisIsAway(() => this.#round(signal));
      const pause = this.#consecutiveFailures === 0 ? 0 : backoffMs(this.#consecutiveFailures, random());
      await clock.sleep(Math.max(LOOK_EVERY_MS, pause), signal);
    }
  }

  async #unlessRedisIsAway(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error;
      this.#deps.log.warn({ err: error.message, ...trouble("webhooks_wait") }, "webhooks wait for Redis");
    }
  }

  /** Walks once over the outbox from its oldest message; stops early if the receiver accepts nothing. */
  async #round(signal: AbortSignal): Promise<void> {
    if (!(await this.#haveTurn())) return;
    const { outbox, tally } = this.#deps;
    const trimmed = await outbox.trim();
    if (trimmed > 0) tally.dropped("full", trimmed);
    const round = new Round();
    let after: string | undefined;
    while (!signal.aborted && !round.isRejected) {
      const page = await outbox.page(PAGE, after);
      after = page.at(-1)?.position;
      if (after === undefined) break;
      await this.#deliverPage(page, round, signal);
    }
    this.#settle(round, signal);
  }

  #settle(round: Round, signal: AbortSignal): void {
    const { log } = this.#deps;
    if (round.accepted > 0 && this.#consecutiveFailures > 0)
      log.info({}, "the webhook's receiver accepts messages again");
    if (round.accepted > 0) this.#consecutiveFailures = 0;
    else if (round.failed > 0 && !signal.aborted) {
      this.#consecutiveFailures += 1;
      // An outage is logged once, not at each attempt.
      if (this.#consecutiveFailures === 1)
        log.warn(
          { detail: round.detail, ...trouble("webhook_not_accepted") },
          "a webhook was not accepted; retrying",
        );
    }
  }

  /** Messages of one stream are sent one after another, those of different streams concurrently. */
  async #deliverPage(page: readonly WaitingMessage[], round: Round, signal: AbortSignal): Promise<void> {
    const streams = Map.groupBy(page, ({ message, position }) => message?.subject ?? position);
    const queue = streams.values();
    const lane = async (): Promise<void> => {
      for (const messages of queue) {
        for (const waiting of messages) {
          if (signal.aborted || round.isRejected) return;
          await this.#deliver(waiting, round, signal);
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
  }

  async #deliver({ position, message }: WaitingMessage, round: Round, signal: AbortSignal): Promise<void> {
    const { outbox, deliveries, clock, tally, maxAgeMs, log } = this.#deps;
    if (message === undefined) {
      await outbox.remove(position);
      tally.dropped("unreadable", 1);
      return;
    }
    const failures = this.#retries.get(message.subject)?.attempts ?? 0;
    if (clock.wallMs() - message.at > maxAgeMs) {
      await deliveries.expired(position, message, failures);
      this.#retries.delete(message.subject);
      tally.dropped("expired", 1);
      log.warn(
        {
          message_id: message.id,
          detail: `${message.event} of ${message.subject}`,
          ...trouble("webhook_dropped"),
        },
        "a webhook is dropped: it waited longer than SLUICE_WEBHOOK_MAX_AGE",
      );
      return;
    }
    const { subject } = message;
    const retry = this.#retries.get(subject);
    if (round.held.has(subject) || (retry && retry.dueMs > clock.monotonicMs())) {
      round.held.add(subject);
      return;
    }
    if (!(await this.#haveTurn())) {
      round.lostTurn = true;
      return;
    }
    const answer = await this.#deps.post(message, signal);
    if (answer.kind === "accepted") {
      this.#retries.delete(subject);
      round.accepted += 1;
      tally.delivered(message.event);
      await deliveries.delivered(position, message, failures);
    } else if (!signal.aborted) await this.#holdBack(message, answer, round);
  }

  async #holdBack(message: OutboxMessage, answer: Answer & { kind: "failed" }, round: Round): Promise<void> {
    const { subject } = message;
    const { clock, random, tally, deliveries } = this.#deps;
    const attempts = (this.#retries.get(subject)?.attempts ?? 0) + 1;
    const dueMs = clock.monotonicMs() + backoffMs(attempts, random(), answer.retryAfterMs);
    this.#retries.set(subject, { attempts, dueMs });
    round.held.add(subject);
    round.failed += 1;
    round.detail = answer.detail;
    tally.failed(answer.reason);
    // The 1st, 2nd, 4th, 8th … failure: the list of results is short, and an outage long.
    if (Number.isInteger(Math.log2(attempts))) await deliveries.failed(message, attempts, answer.detail);
  }

  async #haveTurn(): Promise<boolean> {
    const { clock, outbox } = this.#deps;
    if (clock.monotonicMs() - this.#turnTakenMs < RENEW_TURN_MS) return true;
    // Counted from before the request, because the turn cannot end earlier than that.
    const askedMs = clock.monotonicMs();
    const ours = await outbox.takeTurn();
    this.#turnTakenMs = ours ? askedMs : -Infinity;
    // Messages that another process delivers meanwhile are not waited for.
    if (!ours) this.#retries.clear();
    return ours;
  }
}

/** The results of one walk over the outbox. */
class Round {
  accepted = 0;
  failed = 0;
  detail = "";
  lostTurn = false;
  /** Streams with an older waiting message: their younger ones wait too. */
  readonly held = new Set<string>();

  /** The receiver cannot be reached: more requests would only fail too. */
  get isRejected(): boolean {
    return this.lostTurn || (this.accepted === 0 && this.failed >= AT_ONCE);
  }
}
