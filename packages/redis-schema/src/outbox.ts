/**
 * The messages that webhooks have to deliver. Written by the scripts that make the changes; read, oldest first, by the
 * one worker that has the turn; removed when delivered.
 */
import { CheckpointError, type StreamRecord } from "@sluice/core";
import type { SchemaContext, WorkerIdentity } from "./context.ts";
import { rawStreamEntries } from "./event-feed.ts";
import { KEPT } from "./kept.ts";
import {
  messageArgs,
  parseMessage,
  workerMessageArgs,
  type OutboxMessage,
  type WorkerMessage,
} from "./outbox-message.ts";
import { fromFlatBuffers } from "./records/text.ts";
import { callRedis, replyName } from "./replies.ts";
import { runScript, SCRIPTS } from "./scripts.ts";
import { list } from "./stream-change.ts";

export interface WaitingMessage {
  /** Its position in the outbox. */
  position: string;
  /** Undefined: it cannot be parsed. */
  message: OutboxMessage | undefined;
}

export class Outbox {
  readonly #context: SchemaContext;
  readonly #identity: WorkerIdentity;

  constructor(context: SchemaContext, identity: WorkerIdentity) {
    this.#context = context;
    this.#identity = identity;
  }

  /** Takes or keeps the turn of delivering; false while another process has it. */
  async takeTurn(): Promise<boolean> {
    const { redis, keys } = this.#context;
    const args = [this.#identity.nonce, KEPT.turnMs];
    return (
      replyName(await runScript(redis, SCRIPTS.takeTurn, [keys.outboxTurn], args), ["ours", "held"]) ===
      "ours"
    );
  }

  async endTurn(): Promise<void> {
    const { redis, keys } = this.#context;
    await runScript(redis, SCRIPTS.endTurn, [keys.outboxTurn], [this.#identity.nonce]);
  }

  /** Oldest first; `after`: the position of the last message of the page before. */
  async page(count: number, after?: string): Promise<WaitingMessage[]> {
    const { redis, keys } = this.#context;
    const from = after === undefined ? "-" : `(${after}`;
    const reply = await callRedis("read the outbox", () =>
      redis.xrangeBuffer(keys.outbox, from, "+", "COUNT", count),
    );
    return rawStreamEntries(reply).map(([position, fields]) => {
      const parsed = parseMessage(fromFlatBuffers(fields));
      return { position, message: parsed.kind === "ok" ? parsed.value : undefined };
    });
  }

  async remove(position: string): Promise<void> {
    const { redis, keys } = this.#context;
    await callRedis("remove from the outbox", () => redis.xdel(keys.outbox, position));
  }

  async waiting(): Promise<number> {
    const { redis, keys } = this.#context;
    return await callRedis("count the outbox", () => redis.xlen(keys.outbox));
  }

  /** Drops the oldest messages beyond the limit; returns how many. */
  async trim(): Promise<number> {
    const { redis, keys } = this.#context;
    return await callRedis("trim the outbox", () => redis.xtrim(keys.outbox, "MAXLEN", KEPT.outbox));
  }

  /** Conditions of workers and watches that were reported and still last, by field. */
  async reportedOfWorkers(): Promise<ReadonlyMap<string, string>> {
    const { redis, keys } = this.#context;
    return new Map(
      Object.entries(
        await callRedis("read the reported conditions of workers", () => redis.hgetall(keys.outboxReported)),
      ),
    );
  }

  /** Notes `value` under `field` and reports it once; an empty value ends it. Without an event nothing is reported. */
  async reportWorker({
    field,
    value,
    event,
    ...news
  }: Omit<WorkerMessage, "event"> & {
    event: WorkerMessage["event"] | undefined;
    field: string;
    value: string;
  }): Promise<boolean> {
    const { redis, keys, clock } = this.#context;
    const now = clock.wallMs();
    const message = event === undefined ? [] : workerMessageArgs({ event, ...news }, now);
    const args = [now, KEPT.outboxMost, news.subject, field, value];
    const reply = await runScript(
      redis,
      SCRIPTS.reportWorker,
      [keys.outbox, keys.outboxReported],
      [args, list(message)],
    );
    return replyName(reply, ["reported", "known"]) === "reported";
  }

  /** False: the stream has changed meanwhile, or belongs to another worker. */
  async reportStalled(record: StreamRecord): Promise<boolean> {
    const { redis, keys, clock } = this.#context;
    const { workerId, nonce } = this.#identity;
    const now = clock.wallMs();
    const { id, fence, last_activity_at_utc: seen } = record;
    const reply = await runScript(
      redis,
      SCRIPTS.reportStalled,
      [keys.worker(workerId), keys.streamMeta(id), keys.outbox],
      [
        [nonce, workerId, now, KEPT.outboxMost, id, fence, seen],
        list(messageArgs("stalled", record, seen, now)),
      ],
    );
    const name = replyName(reply, ["reported", "changed", "lapsed", "lost"]);
    if (name === "lapsed" || name === "lost") {
      throw new CheckpointError(`the lease of ${workerId} is no longer held by this process (${name})`);
    }
    return name === "reported";
  }
}
