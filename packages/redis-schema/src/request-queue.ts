/**
 * What the dashboard and the command line request from the workers. A request is filed once however often it is sent;
 * every worker reads every request and settles the items it is responsible for; the first result of an item counts.
 *
 * `requests` holds exactly the open requests: a worker that starts, takes over a stream or was disconnected finds them
 * there, whatever it had read before. So there is no read position that could be lost.
 */
import type { SchemaContext } from "./context.ts";
import type { RedisClient } from "./connection.ts";
import { FEED_START, rawEntries, rawStreamEntries } from "./event-feed.ts";
import { KEPT } from "./kept.ts";
import type { Parsed } from "./records/codec.ts";
import {
  ANSWERED,
  holdField,
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
import { redisNowMs } from "./server-clock.ts";
import { list } from "./stream-change.ts";

export interface QueuedRequest {
  /** Its entry's id: when it was filed, on Redis's clock, and where the next read continues. */
  position: string;
  request: RequestRecord;
}

/** An entry of the queue, before its request is read. */
export interface QueueEntry {
  position: string;
  id: string;
}

type Identified = Pick<RequestRecord, "id" | "items" | "action">;

const BATCH = 100;
const PAGE = 1_000;
/** Fields read in one command. */
const FIELDS = 500;

export class RequestQueue {
  readonly #context: SchemaContext;

  constructor(context: SchemaContext) {
    this.#context = context;
  }

  /** `known`: a request with this id was filed before; nothing was changed. */
  async file(request: NewRequest): Promise<{ kind: "filed" } | { kind: "known" }> {
    const { redis, keys } = this.#context;
    const reply = await runScript(
      redis,
      SCRIPTS.fileRequest,
      [keys.request(request.id), keys.requests, keys.events],
      [
        [request.id, KEPT.events, KEPT.requestMs],
        list(toFlatArgs(requestFields(request))),
        `${request.action} requested`,
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
   * Requests filed after `position` that are not settled yet (FEED_START: all of the last day), waiting up to `blockMs`
   * for the first. A request that cannot be parsed is skipped. The next call begins at `position`.
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
    const entries = rawEntries(reply).map(([at, fields]) => ({ position: at, id: idOf(fields) }));
    const { requests } = await this.load(entries);
    return { position: entries.at(-1)?.position ?? position, requests };
  }

  /** All open requests, oldest first, however often they were read before. */
  async entries(): Promise<QueueEntry[]> {
    const { redis, keys } = this.#context;
    const all: QueueEntry[] = [];
    for (let from = "-"; ;) {
      const reply = await callRedis("read requests", () =>
        redis.xrangeBuffer(keys.requests, from, "+", "COUNT", PAGE),
      );
      const page = rawStreamEntries(reply).map(([position, fields]) => ({ position, id: idOf(fields) }));
      all.push(...page);
      const last = page.at(-1);
      if (last === undefined || page.length < PAGE) return all;
      from = `(${last.position}`;
    }
  }

  /**
   * The requests of these entries that can be parsed and are not settled. An entry whose request is settled (by a
   * worker of an earlier version) or expired is removed from the queue.
   */
  async load(
    entries: readonly QueueEntry[],
  ): Promise<{ requests: QueuedRequest[]; unreadable: readonly QueueEntry[] }> {
    const read = await Promise.all(entries.map(({ id }) => this.read(id)));
    const requests: QueuedRequest[] = [];
    const unreadable: QueueEntry[] = [];
    const over: QueueEntry[] = [];
    entries.forEach((entry, at) => {
      const parsed = read[at];
      if (parsed?.kind === "ok" && parsed.value.state !== "settled")
        requests.push({ position: entry.position, request: parsed.value });
      else if (parsed?.kind === "corrupt") unreadable.push(entry);
      else over.push(entry);
    });
    await this.#leave(over);
    return { requests, unreadable };
  }

  async #leave(over: readonly QueueEntry[]): Promise<void> {
    if (over.length === 0) return;
    const { redis, keys } = this.#context;
    await callRedis("tidy the requests", () =>
      redis.xdel(keys.requests, ...over.map(({ position }) => position)),
    );
  }

  /** How many items have results; undefined: the request has expired. Cheap, even for 10,000 items. */
  async answered(id: string): Promise<number | undefined> {
    const { redis, keys } = this.#context;
    const [known, answered] = await callRedis("read a request", () =>
      redis.hmget(keys.request(id), "id", ANSWERED),
    );
    return known === null ? undefined : Number(answered ?? 0);
  }

  /** Which of these items have a result. */
  async settledAmong(id: string, items: readonly string[]): Promise<string[]> {
    const { redis, keys } = this.#context;
    const chunks: string[][] = [];
    for (let from = 0; from < items.length; from += FIELDS) chunks.push(items.slice(from, from + FIELDS));
    const settled = await Promise.all(
      chunks.map(async (chunk) => {
        const values = await callRedis("read a request", () =>
          redis.hmget(keys.request(id), ...chunk.map(itemField)),
        );
        return chunk.filter((_, at) => values[at] !== null && values[at] !== undefined);
      }),
    );
    return settled.flat();
  }

  /** `known`: the item already has a result. `allSettled`: this was the last one. */
  async settle(
    request: Identified,
    item: string,
    result: ItemResult,
  ): Promise<{ kind: "settled"; allSettled: boolean } | { kind: "known" } | { kind: "absent" }> {
    return await this.settleAll(request, [[item, result]]);
  }

  /** As `settle`, for many items in one command: at most some hundreds. `known`: every one of them had a result. */
  async settleAll(
    request: Identified,
    results: readonly (readonly [item: string, result: ItemResult])[],
  ): Promise<{ kind: "settled"; allSettled: boolean } | { kind: "known" } | { kind: "absent" }> {
    const { redis, keys, clock } = this.#context;
    const now = clock.wallMs();
    const [, last] = results.at(-1) ?? [];
    const reply = await runScript(
      redis,
      SCRIPTS.settleRequest,
      [keys.request(request.id), keys.requests, keys.events],
      [
        [request.id, now, KEPT.events, new Set(request.items).size, last?.at_utc ?? ""],
        [request.action === "download" ? KEPT.signedAddressMs : ""],
        [wordsOf(request.action, results), last?.worker ?? "", itemField("")],
        list(results.flatMap(([item, result]) => [itemField(item), JSON.stringify(result)])),
        list(results.map(([item]) => holdField(item))),
      ],
    );
    const name = replyName(reply, ["settled", "known", "absent"]);
    return name === "settled" ? { kind: name, allSettled: replyText(reply, 1) === "1" } : { kind: name };
  }

  /**
   * For work that several workers could do: whether `who` may act on the item now. Held for `ms` on Redis's clock, or
   * until the item is settled; the holder may call again to extend it.
   */
  async hold(id: string, item: string, who: string, ms: number): Promise<boolean> {
    const { redis, keys } = this.#context;
    const args = [who, ms, itemField(item), holdField(item)];
    const reply = await runScript(redis, SCRIPTS.holdItem, [keys.request(id)], args);
    return replyName(reply, ["ours", "held", "known", "absent"]) === "ours";
  }

  /** The age of the request on Redis's clock. */
  async ageMs({ position, request }: QueuedRequest): Promise<number> {
    const now = await redisNowMs(this.#context);
    return now - Math.min(Number(position.split("-")[0]), Date.parse(request.filed_at_utc));
  }

  /**
   * Resolves when every item has a result, or with the current state when the signal aborts. `sleep` waits between
   * reads (on the caller's clock).
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

function idOf(fields: readonly unknown[]): string {
  return fromFlatBuffers(fields)["id"] ?? "";
}

/** "retry done", or for several items "retry: 480 done, 20 refused". */
function wordsOf(action: string, results: readonly (readonly [string, ItemResult])[]): string {
  if (results.length === 1) return `${action} ${results[0]?.[1].result ?? ""}`;
  const counts = new Map<string, number>();
  for (const [, { result }] of results) counts.set(result, (counts.get(result) ?? 0) + 1);
  return `${action}: ${[...counts].map(([result, number]) => `${number} ${result}`).join(", ")}`;
}

const LOOK_EVERY_MS = 200;
