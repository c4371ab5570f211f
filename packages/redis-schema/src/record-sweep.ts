/**
 * Finds records that no index lists: left by a lost index, a manual DEL or a script of an older version that failed
 * half-way. They are found through the indexes by path and by key and through the records themselves, and put back. For
 * workers only: a dashboard never scans the keys.
 */
import {
  isLive,
  isSetApart,
  kindOf,
  streamId,
  takenKeys,
  type StreamId,
  type StreamRecord,
} from "@sluice/core";
import { Cluster, type Redis } from "ioredis";
import type { SchemaContext } from "./context.ts";
import { pathField, toArg } from "./records/text.ts";
import { callRedis, replyName, replyText } from "./replies.ts";
import { runScript, SCRIPTS } from "./scripts.ts";
import { list } from "./stream-change.ts";
import type { LoadedStream } from "./stream-loader.ts";

/** Keys that Redis scans in one step, about a millisecond, during which it answers nobody else. */
export const SCAN_STEP = { inPassing: 400, atStart: 2_000 } as const;
/** Entries of an index by path or key in one reply. */
const NAMES_STEP = 5_000;
/** How many names of missing records can be met for one stream: a path and two keys. */
const MOST_GHOSTS = 3;

/** The ids of all records, step by step; the caller waits between steps. An id may be yielded twice. */
export async function* recordIds({ redis, keys }: SchemaContext, step: number): AsyncGenerator<StreamId[]> {
  const nodes: readonly (Redis | SchemaContext["redis"])[] =
    redis instanceof Cluster ? redis.nodes("master") : [redis];
  for (const node of nodes) {
    let cursor = "0";
    do {
      const [next, found] = await callRedis("look for records", () =>
        node.scan(cursor, "MATCH", keys.everyMeta, "COUNT", step),
      );
      cursor = next;
      yield found.map((key) => streamId(keys.idOfMeta(key))).filter((id) => id !== "");
    } while (cursor !== "0");
  }
}

/** Every id in the index by path, or in the one by key. */
export async function namedIds(
  { redis, keys }: SchemaContext,
  index: "by_path" | "by_key",
): Promise<Set<StreamId>> {
  const key = index === "by_path" ? keys.byPath : keys.byKey;
  const ids = new Set<StreamId>();
  let cursor = "0";
  do {
    const [next, flat] = await callRedis(`read ${index}`, () =>
      redis.hscan(key, cursor, "COUNT", NAMES_STEP),
    );
    cursor = next;
    for (let at = 1; at < flat.length; at += 2) if (flat[at]) ids.add(streamId(flat[at] ?? ""));
  } while (cursor !== "0");
  return ids;
}

export type RestoreOutcome =
  | { kind: "right" }
  | { kind: "restored" }
  | { kind: "changed" }
  /** Another stream has its path or one of its keys. */
  | { kind: "taken"; by: string };

/**
 * What the indexes by path and by key must contain for a record: live streams hold their path, all but completed ones
 * their keys.
 */
export function namesOf(record: StreamRecord): { path: boolean; keys: string[] } {
  const kind = kindOf(record.status);
  const holdsKeys = kind !== "completed" && !isSetApart(record);
  return { path: kind !== undefined && isLive(kind), keys: holdsKeys ? takenKeys(record) : [] };
}

/**
 * Puts the stream back under its path and keys, unless it has changed since it was read. A second call changes nothing.
 */
export async function restoreNames(
  context: SchemaContext,
  { raw }: Pick<LoadedStream, "raw">,
  record: StreamRecord,
): Promise<RestoreOutcome> {
  const { redis, keys } = context;
  const names = namesOf(record);
  if (!names.path && names.keys.length === 0) return { kind: "right" };
  const path = names.path ? toArg(pathField(record.source, record.original_path)) : "";
  for (const ghosts: string[] = []; ;) {
    const reply = await runScript(
      redis,
      SCRIPTS.restoreNames,
      [keys.streamMeta(record.id), keys.byPath, keys.byKey, ghosts.map((id) => keys.streamMeta(id))],
      [
        [record.id, raw["fence"] ?? "", raw["revision"] ?? "", path],
        list(names.keys.map(toArg)),
        list(ghosts),
      ],
    );
    const name = replyName(reply, ["right", "restored", "changed", "taken"]);
    if (name !== "taken") return { kind: name };
    const by = replyText(reply, 1);
    const isThere = ghosts.includes(by) || ghosts.length >= MOST_GHOSTS || (await exists(context, by));
    if (isThere) return { kind: name, by };
    ghosts.push(by);
  }
}

async function exists({ redis, keys }: SchemaContext, id: string): Promise<boolean> {
  return (await callRedis("look for the holder", () => redis.exists(keys.streamMeta(id)))) === 1;
}
