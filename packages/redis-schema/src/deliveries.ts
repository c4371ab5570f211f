/**
 * What became of webhook messages: the last results, and the dropped messages, which an operator may have sent again.
 * Written together with the change of the outbox by the one process that delivers.
 */
import type { ChainableCommander } from "ioredis";
import type { SchemaContext } from "./context.ts";
import { rawStreamEntries } from "./event-feed.ts";
import { KEPT } from "./kept.ts";
import type { OutboxMessage } from "./outbox-message.ts";
import { parseWith } from "./records/codec.ts";
import { deliverySchema, droppedSchema, type Delivery, type DroppedMessage } from "./records/delivery.ts";
import { fromFlatBuffers, toFlatArgs } from "./records/text.ts";
import { callRedis, callTransaction, replyName, replyText } from "./replies.ts";
import { runScript, SCRIPTS } from "./scripts.ts";

type About = Pick<OutboxMessage, "id" | "event" | "subject">;

export class Deliveries {
  readonly #context: SchemaContext;

  constructor(context: SchemaContext) {
    this.#context = context;
  }

  /** Removes it from the outbox. `failures`: attempts before the one that was accepted. */
  async delivered(position: string, message: About, failures: number): Promise<void> {
    const { redis, keys } = this.#context;
    const commands = redis.multi().xdel(keys.outbox, position);
    await callTransaction(
      "note a delivery",
      this.#result(commands, { ...about(message), result: "delivered", failures }),
    );
  }

  /** It stays in the outbox. */
  async failed(message: About, failures: number, detail: string): Promise<void> {
    await callTransaction(
      "note a failed delivery",
      this.#result(this.#context.redis.multi(), { ...about(message), result: "failed", failures, detail }),
    );
  }

  /** Moves it from the outbox to the dropped messages. */
  async expired(position: string, message: OutboxMessage, failures: number): Promise<void> {
    const { redis, keys, clock } = this.#context;
    const dropped = { ...about(message), body: message.body, dropped_at: String(clock.wallMs()) };
    const commands = redis
      .multi()
      .xdel(keys.outbox, position)
      .xadd(keys.outboxDropped, "MAXLEN", "~", KEPT.droppedMessages, "*", ...toFlatArgs(dropped));
    await callTransaction(
      "drop a webhook message",
      this.#result(commands, { ...about(message), result: "expired", failures }),
    );
  }

  #result(commands: ChainableCommander, result: Omit<Delivery, "at">): ChainableCommander {
    const { keys, clock } = this.#context;
    const fields = { ...result, at: String(clock.wallMs()) };
    return commands.xadd(keys.outboxResults, "MAXLEN", "~", KEPT.deliveries, "*", ...toFlatArgs(fields));
  }

  /** The last results, newest first. */
  async results(most: number): Promise<Delivery[]> {
    const { redis, keys } = this.#context;
    const reply = await callRedis("read the results of webhooks", () =>
      redis.xrevrangeBuffer(keys.outboxResults, "+", "-", "COUNT", most),
    );
    return rawStreamEntries(reply).flatMap(([, fields]) => {
      const parsed = parseWith(deliverySchema, fromFlatBuffers(fields));
      return parsed.kind === "ok" ? [parsed.value] : [];
    });
  }

  /** Dropped messages, newest first, without their bodies. */
  async dropped(most: number): Promise<(Omit<DroppedMessage, "body"> & { position: string })[]> {
    const { redis, keys } = this.#context;
    const reply = await callRedis("read dropped webhooks", () =>
      redis.xrevrangeBuffer(keys.outboxDropped, "+", "-", "COUNT", most),
    );
    return rawStreamEntries(reply).flatMap(([position, fields]) => {
      const parsed = parseWith(droppedSchema, fromFlatBuffers(fields));
      if (parsed.kind !== "ok") return [];
      const { body: _, ...shown } = parsed.value;
      return [{ ...shown, position }];
    });
  }

  /** The id of the message, which waits in the outbox again; undefined if it is no longer among the dropped ones. */
  async retry(position: string): Promise<string | undefined> {
    const { redis, keys, clock } = this.#context;
    const reply = await runScript(
      redis,
      SCRIPTS.retryMessage,
      [keys.outbox, keys.outboxDropped],
      [clock.wallMs(), KEPT.outboxMost, position],
    );
    return replyName(reply, ["retried", "absent"]) === "retried" ? replyText(reply, 1) : undefined;
  }
}

function about({ id, event, subject }: About): About {
  return { id, event, subject };
}
