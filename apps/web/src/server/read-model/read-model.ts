/**
 * All streams as lists show them, in memory: filled once by pipelined reads, kept up to date from the event feed, and
 * compared with the indexes regularly, so that a record written by another program without an event is noticed too.
 * Redis stays authoritative: this copy can be discarded and read again at any time.
 */
import { CheckpointError } from "@sluice/core/errors";
import { INDEXES, type Index } from "@sluice/core/stream/state";
import { whenReady, type RedisClient } from "@sluice/redis-schema/connection";
import type { EventFeed, FeedBatch } from "@sluice/redis-schema/event-feed";
import type { StreamReader } from "@sluice/redis-schema/stream-reader";
import { indexOfRow } from "@sluice/control/stream-row";
import { RowTable } from "./row-table.ts";

export interface Change {
  /** Everything may have changed. */
  reset: boolean;
  changed: ReadonlySet<string>;
  /** Workers or requests changed. */
  others: boolean;
}

export interface ReadModelParts {
  reader: StreamReader;
  feed: EventFeed;
  redis: RedisClient;
  /** A connection of its own for blocking reads. */
  blocking: RedisClient;
}

/** Ids read again in one round trip. */
const CHUNK = 500;
/** Changes within this time are read together. */
const GATHER_MS = 100;
export const BLOCK_MS = 2_000;
/** Interval at which counts are compared; a difference is investigated. */
const COMPARE_EVERY_MS = 5_000;
/** Live rows read again with each comparison, in turn, to find what another program wrote without an event. */
const SWEEP_ROWS = 500;
const RETRY_MS = 500;
/**
 * The first fill pauses while a user waits for an answer: it checks this often, and waits at most this long per chunk.
 */
const MAKE_WAY_MS = 4;
const MAKE_WAY_MOST_MS = 250;
/** Filled in this order: streams that need attention first, history last. */
const FILL_ORDER: readonly Index[] = ["failed", "pending_completion", "active", "completed"];

export class ReadModel {
  readonly #parts: ReadModelParts;
  readonly #listeners = new Set<(change: Change) => void>();
  #rows = new RowTable();
  #filled = false;
  #away = true;
  #position = "0-0";
  #sweepFrom = 0;
  #confirmedAt: number | undefined;
  #urgent = 0;
  #waitingForFill = 0;

  constructor(parts: ReadModelParts) {
    this.#parts = parts;
  }

  /** False until every stream has been read once; until then lists are answered from the indexes. */
  get filled(): boolean {
    return this.#filled;
  }

  get away(): boolean {
    return this.#away;
  }

  /** The feed's entry up to which the rows are up to date. */
  get position(): string {
    return this.#position;
  }

  /** When the rows last agreed with Redis, ms since 1970; undefined until they were read. */
  get confirmedAt(): number | undefined {
    return this.#confirmedAt;
  }

  get rows(): Pick<RowTable, "get" | "values" | "counts"> {
    return this.#rows;
  }

  /** True once filled; false if that takes longer than the given time. */
  async whenFilled(ms: number): Promise<boolean> {
    if (this.#filled) return true;
    this.#waitingForFill += 1;
    const filled = new AbortController();
    const stop = this.onChange(() => {
      if (this.#filled) filled.abort();
    });
    await pause(ms, filled.signal);
    stop();
    this.#waitingForFill -= 1;
    return this.#filled;
  }

  /** While this work runs, the first fill pauses, so that a user need not wait for a hundred thousand rows. */
  async urgently<T>(work: () => Promise<T>): Promise<T> {
    this.#urgent += 1;
    try {
      return await work();
    } finally {
      this.#urgent -= 1;
    }
  }

  onChange(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Runs until the signal aborts. Waits while Redis is unavailable; afterwards everything is read again. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await whenReady(this.#parts.redis, signal);
        await whenReady(this.#parts.blocking, signal);
        await this.#fill();
        await this.#follow(signal);
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof CheckpointError)) throw error;
        this.#away = true;
        this.#notify({ reset: true, changed: new Set(), others: true });
        await pause(RETRY_MS, signal);
      }
    }
  }

  async #fill(): Promise<void> {
    const position = await this.#parts.feed.position();
    const rows = new RowTable();
    for (const index of FILL_ORDER) await this.#fillFrom(index, rows);
    this.#rows = rows;
    this.#position = position;
    this.#filled = true;
    this.#away = false;
    this.#confirmedAt = Date.now();
    this.#notify({ reset: true, changed: new Set(), others: true });
  }

  /** Page by page: the ids of a whole index in one reply would delay every other answer while they are parsed. */
  async #fillFrom(index: Index, rows: RowTable): Promise<void> {
    let cursor: string | undefined;
    do {
      await this.#makeWay();
      const request = { limit: CHUNK, ...(cursor === undefined ? {} : { cursor }) };
      const page = await this.#parts.reader.page(index, request);
      for (const row of page.rows) rows.put(row);
      cursor = page.next;
    } while (cursor !== undefined);
  }

  /** Callers that wait for the fill itself do not pause it. */
  async #makeWay(): Promise<void> {
    const until = performance.now() + MAKE_WAY_MOST_MS;
    while (this.#urgent > this.#waitingForFill && performance.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, MAKE_WAY_MS));
    }
  }

  /** Returns when the feed has a gap, throws when Redis is unavailable: in both cases everything is read again. */
  async #follow(signal: AbortSignal): Promise<void> {
    const ended = new AbortController();
    const both = AbortSignal.any([signal, ended.signal]);
    try {
      await Promise.race([this.#applyFeed(both), this.#compareNowAndThen(both)]);
    } finally {
      ended.abort();
    }
  }

  async #applyFeed(signal: AbortSignal): Promise<void> {
    const { feed, blocking } = this.#parts;
    for await (const batch of feed.follow(blocking, this.#position, BLOCK_MS, signal)) {
      if (batch.gap || signal.aborted) return;
      await this.#apply(batch);
      await pause(GATHER_MS, signal);
    }
  }

  async #compareNowAndThen(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await pause(COMPARE_EVERY_MS, signal);
      await this.#compare();
    }
  }

  async #apply(batch: FeedBatch): Promise<void> {
    const ids = new Set<string>();
    let others = false;
    for (const entry of batch.entries) {
      if (entry.type === "worker" || entry.type === "request") others = true;
      else ids.add(entry.subject);
    }
    await this.#readAgain([...ids]);
    this.#position = batch.position;
    this.#confirmedAt = Date.now();
    if (ids.size > 0 || others) this.#notify({ reset: false, changed: ids, others });
  }

  async #readAgain(ids: readonly string[]): Promise<void> {
    for (let from = 0; from < ids.length; from += CHUNK) {
      const chunk = ids.slice(from, from + CHUNK);
      const rows = await this.#parts.reader.rows(chunk);
      chunk.forEach((id, at) => {
        const row = rows[at];
        if (row === undefined) this.#rows.remove(id);
        else this.#rows.put(row);
      });
    }
  }

  /** Finds what no event reported: different counts in an index, live rows that have changed. */
  async #compare(): Promise<void> {
    const { reader } = this.#parts;
    const suspects = new Set<string>(this.#nextToSweep());
    const counts = await reader.counts();
    const known = this.#rows.counts;
    for (const index of INDEXES.filter((each) => counts[each] !== known[each])) {
      const listed = new Set(await reader.ids(index));
      for (const id of listed) {
        const row = this.#rows.get(id);
        if (row === undefined || indexOfRow(row) !== index) suspects.add(id);
      }
      for (const row of this.#rows.values()) {
        if (indexOfRow(row) === index && !listed.has(row.id)) suspects.add(row.id);
      }
    }
    const changed = await this.#differing([...suspects]);
    this.#confirmedAt = Date.now();
    if (changed.size > 0) this.#notify({ reset: false, changed, others: false });
  }

  /** Reads rows again and returns those that differ from what is known. */
  async #differing(ids: readonly string[]): Promise<Set<string>> {
    const before = new Map(ids.map((id) => [id, JSON.stringify(this.#rows.get(id))]));
    await this.#readAgain(ids);
    return new Set(ids.filter((id) => JSON.stringify(this.#rows.get(id)) !== before.get(id)));
  }

  #nextToSweep(): string[] {
    const live: string[] = [];
    for (const row of this.#rows.values()) {
      const index = indexOfRow(row);
      if (index === "active" || index === "pending_completion") live.push(row.id);
    }
    if (this.#sweepFrom >= live.length) this.#sweepFrom = 0;
    const due = live.slice(this.#sweepFrom, this.#sweepFrom + SWEEP_ROWS);
    this.#sweepFrom += SWEEP_ROWS;
    return due;
  }

  #notify(change: Change): void {
    for (const listener of this.#listeners) listener(change);
  }
}

export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    function done() {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    }
    signal.addEventListener("abort", done);
  });
}
