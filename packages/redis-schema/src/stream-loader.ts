/**
 * Reads records in bulk, for the scan at start and for takeovers: the record of each id, and its parts if wanted. One
 * round trip per 500 ids; a record that cannot be parsed is a result like any other.
 */
import { streamId, type Index, type StreamId } from "@sluice/core";
import type { SchemaContext } from "./context.ts";
import { KEPT } from "./kept.ts";
import { parseParts, type ParsedParts } from "./records/part.ts";
import { parseRecord, type ParsedRecord } from "./records/stream-record.ts";
import { fromBuffers, type RawHash } from "./records/text.ts";
import { callRedis, ForeignTypeError } from "./replies.ts";

export interface LoadedStream {
  readonly id: StreamId;
  parsed: ParsedRecord;
  /** As stored, for repairs that compare with what was read. */
  raw: RawHash;
  parts: ParsedParts;
}

const NO_PARTS: ParsedParts = { parts: new Map(), bad: [] };

/**
 * Records in pages, in the order of their ids, with their parts if asked for. One that cannot be read is a result
 * and stops no other.
 */
export async function* loadStreams(
  context: SchemaContext,
  ids: readonly string[],
  options: { parts: boolean },
): AsyncGenerator<LoadedStream[]> {
  for (let from = 0; from < ids.length; from += KEPT.pageOfRecords) {
    yield await Promise.all(
      ids.slice(from, from + KEPT.pageOfRecords).map((id) => loadOne(context, id, options.parts)),
    );
  }
}

/** Ids of an index, oldest first: the scan at start begins here. An index of an early version is a plain set. */
export async function indexedIds({ redis, keys }: SchemaContext, index: Index): Promise<StreamId[]> {
  const key = keys.index(index);
  const ids = await callRedis("read an index", () => redis.zrange(key, "0", "-1")).catch((error: unknown) => {
    if (!(error instanceof ForeignTypeError)) throw error;
    return callRedis("read an index of an earlier phase", () => redis.smembers(key));
  });
  return ids.filter((id) => id !== "").map(streamId);
}

async function loadOne(
  { redis, keys }: SchemaContext,
  id: string,
  withParts: boolean,
): Promise<LoadedStream> {
  const read = (key: string) => callRedis("read a stream", () => redis.hgetallBuffer(key));
  try {
    const [meta, parts] = await Promise.all([
      read(keys.streamMeta(id)),
      withParts ? read(keys.streamParts(id)) : undefined,
    ]);
    const raw = fromBuffers(meta);
    return {
      id: streamId(id),
      raw,
      parsed: parseRecord(id, raw),
      parts: parts === undefined ? NO_PARTS : parseParts(fromBuffers(parts)),
    };
  } catch (error) {
    if (!(error instanceof ForeignTypeError)) throw error;
    const parsed: ParsedRecord = { kind: "corrupt", detail: "a key of this stream is not a hash" };
    return { id: streamId(id), raw: {}, parsed, parts: NO_PARTS };
  }
}
