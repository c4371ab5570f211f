/**
 * The live feed. A reader passes the last entry it saw and gets what came after. If that entry has been trimmed
 * meanwhile, or Redis was emptied, it gets `gap` and must read everything again.
 */
import type { SchemaContext } from "./context.ts";
import type { RedisClient } from "./connection.ts";
import { KEPT } from "./kept.ts";
import { parseFeedEntry, type FeedEntry } from "./records/feed.ts";
import { fromFlatBuffers, toFlatArgs } from "./records/text.ts";
import { callRedis } from "./replies.ts";

export interface FeedBatch {
  /** Where the next read continues. */
  position: string;
  /** Entries in between are lost: read everything again, then continue from `position`. */
  gap: boolean;
  /** Entries that cannot be parsed are skipped. */
  entries: (FeedEntry & { position: string })[];
}

/** Before the first entry. */
export const FEED_START = "0-0";
const BATCH = 1_000;

export class EventFeed {
  readonly #context: SchemaContext;

  constructor(context: SchemaContext) {
    this.#context = context;
  }

  /** For changes that no script makes. */
  async append(entry: Omit<FeedEntry, "at">): Promise<void> {
    const { redis, keys, clock } = this.#context;
    const fields = toFlatArgs({ ...entry, at: clock.wallMs() });
    await callRedis("append an event", () =>
      redis.xadd(keys.events, "MAXLEN", "~", KEPT.events, "*", ...fields),
    );
  }

  /** The current end of the feed. */
  async position(): Promise<string> {
    const { redis, keys } = this.#context;
    const last = await callRedis("read the feed", () => redis.xrevrange(keys.events, "+", "-", "COUNT", 1));
    return last[0]?.[0] ?? FEED_START;
  }

  /** What came after `position`, without waiting; empty if nothing did. */
  async since(position: string): Promise<FeedBatch> {
    const { redis } = this.#context;
    return this.#batch(position, await this.#read(redis, position));
  }

  /**
   * Yields batches as they come, until the signal aborts. `blocking` is a connection of its own, made with `blockMs`.
   * If Redis fails, the iterator throws a CheckpointError, and the caller starts again from its last position.
   */
  async *follow(
    blocking: RedisClient,
    position: string,
    blockMs: number,
    signal: AbortSignal,
  ): AsyncGenerator<FeedBatch> {
    let at = position;
    while (!signal.aborted) {
      const batch = await this.#batch(at, await this.#read(blocking, at, blockMs));
      at = batch.position;
      if (batch.gap || batch.entries.length > 0) yield batch;
    }
  }

  async #read(redis: RedisClient, position: string, blockMs?: number): Promise<RawEntry[]> {
    const { keys } = this.#context;
    const reply = await callRedis("read the feed", () =>
      blockMs === undefined
        ? redis.xreadBuffer("COUNT", BATCH, "STREAMS", keys.events, position)
        : redis.xreadBuffer("COUNT", BATCH, "BLOCK", blockMs, "STREAMS", keys.events, position),
    );
    return rawEntries(reply);
  }

  /**
   * Checked after the read: if the last seen entry still exists, nothing after it was trimmed before the read. A feed
   * that ends before that entry belongs to another Redis.
   */
  async #batch(position: string, raw: readonly RawEntry[]): Promise<FeedBatch> {
    const entries: FeedBatch["entries"] = [];
    for (const [id, fields] of raw) {
      const parsed = parseFeedEntry(fromFlatBuffers(fields));
      if (parsed.kind === "ok") entries.push({ ...parsed.value, position: id });
    }
    const gap = position !== FEED_START && !(await this.#stillThere(position));
    const last = raw.at(-1)?.[0];
    return { position: last ?? (gap ? await this.position() : position), gap, entries };
  }

  async #stillThere(position: string): Promise<boolean> {
    const { redis, keys } = this.#context;
    const found = await callRedis("read the feed", () =>
      redis.xrange(keys.events, position, position, "COUNT", 1),
    );
    return found.length > 0;
  }
}

type RawEntry = readonly [id: string, fields: readonly unknown[]];

/** XREAD of one stream: [[key, [[id, [field, value, …]], …]]], or nothing. */
export function rawEntries(reply: unknown): RawEntry[] {
  if (!Array.isArray(reply) || !Array.isArray(reply[0])) return [];
  const [, entries] = reply[0] as [unknown, unknown];
  return rawStreamEntries(entries);
}

/** XRANGE: [[id, [field, value, …]], …]. */
export function rawStreamEntries(entries: unknown): RawEntry[] {
  if (!Array.isArray(entries)) return [];
  return (entries as [Buffer, unknown[]][]).map(([id, fields]) => [id.toString("latin1"), fields]);
}
