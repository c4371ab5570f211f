/**
 * Reads for the dashboard and the command line: counts, pages, one stream, its parts, everything in chunks. Never SCAN
 * or KEYS: the indexes list all streams. Never writes.
 */
import { displayPath, INDEXES, type Index } from "@sluice/core";
import type { SchemaContext } from "./context.ts";
import { KEPT } from "./kept.ts";
import { parseLog, type LogEntry } from "./records/feed.ts";
import { parseParts, type ParsedParts } from "./records/part.ts";
import { parseRecord, type ParsedRecord } from "./records/stream-record.ts";
import { fromBuffer, fromBuffers, type RawHash } from "./records/text.ts";
import { callRedis, ForeignTypeError } from "./replies.ts";
import { emptyRow, foreignRow, LIST_FIELDS, listedStream, type ListedStream } from "./stream-rows.ts";

export interface PageRequest {
  /** From the page before; absent for the first. */
  cursor?: string;
  limit: number;
  newestFirst?: boolean;
}

export interface Page {
  rows: ListedStream[];
  /** Absent on the last page. */
  next?: string;
}

export interface StreamDetail {
  id: string;
  parsed: ParsedRecord;
  /** As stored, for display: bytes that are not UTF-8 as %XX. */
  raw: RawHash;
  /** Newest first. */
  log: (LogEntry | { text: string })[];
  partCount: number;
  /** Indexes that list the id; more or less than one is being repaired. */
  indexes: Index[];
}

interface Entry {
  id: string;
  score: number;
}

export class StreamReader {
  readonly #context: SchemaContext;

  constructor(context: SchemaContext) {
    this.#context = context;
  }

  async counts(): Promise<Record<Index, number>> {
    const { redis, keys } = this.#context;
    const counts = await callRedis("count streams", () =>
      Promise.all(keys.indexes.map((key) => redis.zcard(key))),
    );
    const byIndex: Record<Index, number> = { active: 0, pending_completion: 0, failed: 0, completed: 0 };
    INDEXES.forEach((index, at) => (byIndex[index] = counts[at] ?? 0));
    return byIndex;
  }

  /** Two round trips. A stream that moves between two pages is shown on neither or on both, but never lost. */
  async page(index: Index, request: PageRequest): Promise<Page> {
    const newestFirst = request.newestFirst ?? true;
    const entries = await this.#entriesAfter(
      index,
      parseCursor(request.cursor),
      request.limit + 1,
      newestFirst,
    );
    const shown = entries.slice(0, request.limit);
    const rows = await this.#rowsOf(index, shown);
    const last = shown.at(-1);
    return entries.length > shown.length && last ? { rows, next: formatCursor(last) } : { rows };
  }

  /** How many entered an index up to this time, ms since 1970. */
  async countUntil(index: Index, ms: number): Promise<number> {
    const { redis, keys } = this.#context;
    return callRedis("count streams", () => redis.zcount(keys.index(index), "-inf", ms));
  }

  /** Ids of an index, oldest first, in one atomic read. */
  async ids(index: Index): Promise<string[]> {
    const { redis, keys } = this.#context;
    return callRedis("read an index", () => redis.zrange(keys.index(index), "0", "-1"));
  }

  /** Undefined if nothing is stored. One round trip for up to 500 ids; a second if a path is not UTF-8. */
  async rows(ids: readonly string[]): Promise<(ListedStream | undefined)[]> {
    return Promise.all(ids.map((id) => this.#row(id)));
  }

  /**
   * Every stream, index by index, in chunks of one round trip each. Read the feed's position before the call, because
   * the feed has the changes made meanwhile.
   */
  async *all(indexes: readonly Index[] = INDEXES): AsyncGenerator<ListedStream[]> {
    const { redis, keys } = this.#context;
    for (const index of indexes) {
      const flat = await callRedis("read an index", () =>
        redis.zrange(keys.index(index), "0", "-1", "WITHSCORES"),
      );
      const entries = entriesOf(flat);
      for (let from = 0; from < entries.length; from += KEPT.pageOfRecords) {
        yield await this.#rowsOf(index, entries.slice(from, from + KEPT.pageOfRecords));
      }
    }
  }

  /** One round trip. `absent` if there is no record. */
  async stream(id: string): Promise<StreamDetail> {
    const { redis, keys } = this.#context;
    const [hash, log, partCount, ...scores] = await Promise.all([
      readOr(undefined, () => redis.hgetallBuffer(keys.streamMeta(id))),
      readOr([], () => redis.lrangeBuffer(keys.streamLog(id), 0, -1)),
      readOr(0, () => redis.hlen(keys.streamParts(id))),
      ...keys.indexes.map((key) => callRedis("read an index", () => redis.zscore(key, id))),
    ]);
    const fields = fromBuffers(hash ?? {});
    const raw = Object.fromEntries(
      Object.entries(fields).map(([field, value]) => [field, displayPath(value)]),
    );
    return {
      id,
      parsed: hash === undefined ? { kind: "corrupt", detail: FOREIGN } : parseRecord(id, fields),
      raw,
      log: log.map((line) => parseLog(displayPath(fromBuffer(line)))),
      partCount,
      indexes: INDEXES.filter((_, at) => (scores[at] ?? null) !== null),
    };
  }

  /** All acknowledged parts, or those of a range of numbers (both ends included). */
  async parts(id: string, range?: { from: number; to: number }): Promise<ParsedParts> {
    const { redis, keys } = this.#context;
    const key = keys.streamParts(id);
    if (!range) return parseParts(fromBuffers(await callRedis("read parts", () => redis.hgetallBuffer(key))));
    const numbers = Array.from({ length: Math.max(0, range.to - range.from + 1) }, (_, at) =>
      String(range.from + at),
    );
    if (numbers.length === 0) return { parts: new Map(), bad: [] };
    const values = await callRedis("read parts", () => redis.hmgetBuffer(key, ...numbers));
    return parseParts(pick(values, numbers));
  }

  /** Ids of the live streams of these paths (`<source>:<path>`). */
  async idsByPath(fields: readonly (string | Buffer)[]): Promise<(string | undefined)[]> {
    const { redis, keys } = this.#context;
    if (fields.length === 0) return [];
    const ids = await callRedis("look up paths", () => redis.hmget(keys.byPath, ...fields));
    return ids.map((id) => id ?? undefined);
  }

  /**
   * Read as text, which is much cheaper than bytes; values that the client could not decode are read again as bytes.
   */
  async #row(id: string): Promise<ListedStream | undefined> {
    const { redis, keys } = this.#context;
    const key = keys.streamMeta(id);
    const texts = await readOr(undefined, () => redis.hmget(key, ...LIST_FIELDS));
    if (texts === undefined) return foreignRow(id);
    if (!texts.some((text) => text?.includes(REPLACEMENT))) return listedStream(id, fieldsOf(texts));
    const values = await readOr(undefined, () => redis.hmgetBuffer(key, ...LIST_FIELDS));
    return values === undefined ? foreignRow(id) : listedStream(id, pick(values));
  }

  async #rowsOf(index: Index, entries: readonly Entry[]): Promise<ListedStream[]> {
    const rows = await this.rows(entries.map(({ id }) => id));
    return entries.map(({ id, score }, at) => ({ ...(rows[at] ?? emptyRow(id)), index, score }));
  }

  /** Entries after the cursor. Entries with the same score are in the order of their ids, so ties are skipped by id. */
  async #entriesAfter(
    index: Index,
    cursor: Entry | undefined,
    wanted: number,
    newestFirst: boolean,
  ): Promise<Entry[]> {
    const { redis, keys } = this.#context;
    const key = keys.index(index);
    const from = cursor === undefined ? (newestFirst ? "+inf" : "-inf") : cursor.score;
    const found: Entry[] = [];
    let offset = 0;
    for (;;) {
      const count = wanted + TIES;
      const flat = await callRedis("read an index", () =>
        newestFirst
          ? redis.zrevrangebyscore(key, from, "-inf", "WITHSCORES", "LIMIT", offset, count)
          : redis.zrangebyscore(key, from, "+inf", "WITHSCORES", "LIMIT", offset, count),
      );
      const entries = entriesOf(flat);
      for (const entry of entries) if (isPast(entry, cursor, newestFirst)) found.push(entry);
      if (found.length >= wanted || entries.length < count) return found.slice(0, wanted);
      offset += count;
    }
  }
}

const FOREIGN = "the key of its record is not a hash: another program wrote it";

/** A key of another type under a stream's name affects only that stream. */
async function readOr<T, Instead>(instead: Instead, read: () => Promise<T>): Promise<T | Instead> {
  try {
    return await callRedis("read a stream", read);
  } catch (error) {
    if (!(error instanceof ForeignTypeError)) throw error;
    return instead;
  }
}

/** Streams of the same time that a page skips without reading again. */
const TIES = 50;

function isPast(entry: Entry, cursor: Entry | undefined, newestFirst: boolean): boolean {
  if (cursor === undefined || entry.score !== cursor.score) return true;
  return newestFirst ? entry.id < cursor.id : entry.id > cursor.id;
}

function formatCursor({ score, id }: Entry): string {
  return `${score}:${id}`;
}

/** An invalid cursor starts at the first page. */
function parseCursor(text: string | undefined): Entry | undefined {
  const match = /^(-?\d+(?:\.\d+)?):(.+)$/.exec(text ?? "");
  return match ? { score: Number(match[1]), id: match[2] ?? "" } : undefined;
}

function entriesOf(flat: readonly string[]): Entry[] {
  const entries: Entry[] = [];
  for (let at = 0; at + 1 < flat.length; at += 2)
    entries.push({ id: flat[at] ?? "", score: Number(flat[at + 1]) });
  return entries;
}

/** Replaces bytes that are not UTF-8. */
const REPLACEMENT = "\uFFFD";

function fieldsOf(texts: readonly (string | null)[]): RawHash {
  const hash: Record<string, string> = {};
  LIST_FIELDS.forEach((field, at) => {
    const text = texts[at] ?? undefined;
    if (text !== undefined) hash[field] = text;
  });
  return hash;
}

/** HMGET's values by field; missing values are left out. */
function pick(values: readonly (Buffer | null)[], fields: readonly string[] = LIST_FIELDS): RawHash {
  const hash: Record<string, string> = {};
  fields.forEach((field, at) => {
    const value = values[at];
    if (value) hash[field] = fromBuffer(value);
  });
  return hash;
}
