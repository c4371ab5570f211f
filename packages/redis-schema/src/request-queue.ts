/**
 * What dashboard and command line ask of the workers. A request is filed once however often it is sent; every worker
 * reads every request and settles the items that are its own; the first result of an item stands.
 */
import type { SchemaContext } from "./context.ts";
import type { RedisClient } from "./connection.ts";
import { FEED_START, rawEntries } from "./event-feed.ts";
import { KEPT } from "./kept.ts";
import type { Parsed } from "./records/codec.ts";
import {
  itemField,
  parseRequest,
  requestFields,
  type ItemResult,
  type NewRequest,
  type RequestRecord,
} from "./records/request.ts";
import { fromBuffers, fromFlatBuffers, toFlatArgs } from "./records/text.ts";
import { callRedis, replyName, replyText } from "./replies.ts";
import { runScript, SCRIPTS } from "./scripts.ts";
import { list } from "./stream-change.ts";

export interface QueuedRequest {
  /** Where to go on from after this one. */
  position: string;
  request: RequestRecord;
}

const BATCH = 100;

export class RequestQueue {
  readonly #context: SchemaContext;

  constructor(context: SchemaContext) {
    this.#context = context;
  }

  /** `known`: a request of this id was filed before; nothing was changed. */
  async file(request: NewRequest): Promise<{ kind: "filed" } | { kind: "known" }> {
    const { redis, keys, clock } = this.#context;
    const now = clock.wallMs();
    const reply = await runScript(
      redis,
      SCRIPTS.fileRequest,
      [keys.request(request.id), keys.requests, keys.events],
      [
        [request.id, now, KEPT.events, KEPT.requestMs, `${now - KEPT.requestMs}-0`],
        list(toFlatArgs(requestFields(request))),
        `${request.action} asked for`,
        request.who,
      ],
    );
    return { kind: replyName(reply, ["filed", "known"]) };
  }

  async read(id: string): Promise<Parsed<RequestRecord> | { kind: "absent" }> {
    const { redis, keys } = this.#context;
    return parseRequest(
      fromBuffers(await callRedis("read a request", () => redis.hgetallBuffer(keys.request(id)))),
    );
  }

  /**
   * For a worker: requests that are not settled yet, from `position` on (FEED_START: all of the last day), waiting up to
   * `blockMs` for the first. A request that cannot be read is passed over. The next call begins at `position`.
   */
  async next(
    blocking: RedisClient,
    position: string = FEED_START,
    blockMs?: number,
  ): Promise<{ position: string; requests: QueuedRequest[] }> {
    const { keys } = this.#context;
    const reply = await callRedis("read requests", () =>
      blockMs === undefined
        ? blocking.xreadBuffer("COUNT", BATCH, "STREAMS", keys.requests, position)
        : blocking.xreadBuffer("COUNT", BATCH, "BLOCK", blockMs, "STREAMS", keys.requests, position),
    );
    const entries = rawEntries(reply);
    const read = await Promise.all(
      entries.map(async ([at, fields]) => ({
        at,
        parsed: await this.read(fromFlatBuffers(fields)["id"] ?? ""),
      })),
    );
    const requests: QueuedRequest[] = [];
    for (const { at, parsed } of read) {
      if (parsed.kind === "ok" && parsed.value.state !== "settled")
        requests.push({ position: at, request: parsed.value });
    }
    return { position: entries.at(-1)?.[0] ?? position, requests };
  }

  /** `known`: the item has a result already. `allSettled`: this was the last one. */
  async settle(
    request: Pick<RequestRecord, "id" | "items" | "action">,
    item: string,
    result: ItemResult,
  ): Promise<{ kind: "settled"; allSettled: boolean } | { kind: "known" } | { kind: "absent" }> {
    const { redis, keys, clock } = this.#context;
    const now = clock.wallMs();
    const reply = await runScript(
      redis,
      SCRIPTS.settleRequest,
      [keys.request(request.id), keys.events],
      [
        [request.id, now, KEPT.events, itemField(item), JSON.stringify(result)],
        list(request.items.map(itemField)),
        [result.at_utc, `${request.action} ${result.result}`, result.worker],
      ],
    );
    const name = replyName(reply, ["settled", "known", "absent"]);
    return name === "settled" ? { kind: name, allSettled: replyText(reply, 1) === "1" } : { kind: name };
  }

  /**
   * Resolves when every item has a result, or with the state as it is when the signal ends the wait. `sleep` waits
   * between looks (the caller's clock).
   */
  async wait(
    id: string,
    sleep: (ms: number, signal?: AbortSignal) => Promise<void>,
    signal: AbortSignal,
  ): Promise<Parsed<RequestRecord> | { kind: "absent" }> {
    for (;;) {
      const read = await this.read(id);
      if (signal.aborted || read.kind !== "ok" || read.value.state === "settled") return read;
      await sleep(LOOK_EVERY_MS, signal);
    }
  }
}

const LOOK_EVERY_MS = 200;
