/**
 * After Redis was emptied or restored from an older state: writes a stream back from its owner's memory in one step.
 * Its path and its keys may be held there in the name of a stream that had them before; only the hold of a live worker
 * counts.
 */
import {
  CheckpointError,
  isLive,
  isSetApart,
  kindOf,
  takenKeys,
  type Parts,
  type StreamRecord,
  type WrittenBack,
} from "@sluice/core";
import type { SchemaContext, WorkerIdentity } from "./context.ts";
import { KEPT } from "./kept.ts";
import { fromBuffers, pathField, toArg } from "./records/text.ts";
import { callRedis, replyName, replyText } from "./replies.ts";
import { runScript, SCRIPTS } from "./scripts.ts";
import { list, writeBackArgs } from "./stream-change.ts";

/** Owners and holders may change between tries. */
const TRIES = 8;

export async function writeStreamBack(
  context: SchemaContext,
  identity: WorkerIdentity,
  record: StreamRecord,
  parts: Parts,
): Promise<WrittenBack> {
  const voids: string[] = [];
  let expected = "";
  let answer = "";
  for (let attempt = 1; attempt <= TRIES; attempt += 1) {
    const [name, value] = await writeOnce(context, identity, { record, parts, expected, voids });
    if (name === "kept") return { kind: name };
    if (name === "written") return { kind: name, fence: Number(value) };
    if (name === "lost") return { kind: name, detail: value };
    answer = `${name} ${value}`;
    if (name === "changed") expected = value;
    else if (await isHeldElsewhere(context, identity, value)) break;
    else voids.push(value);
  }
  return { kind: "lost", detail: `it could not be written back: ${answer}` };
}

interface Attempt {
  record: StreamRecord;
  parts: Parts;
  expected: string;
  voids: readonly string[];
}

async function writeOnce(
  { redis, keys, clock }: SchemaContext,
  { workerId, nonce }: WorkerIdentity,
  { record, parts, expected, voids }: Attempt,
) {
  const now = clock.wallMs();
  const kind = kindOf(record.status);
  const live = kind !== undefined && isLive(kind);
  // Released at completion and when a stream is set apart; every other failed stream keeps its keys.
  const holdsKeys = live || (kind === "failed" && !isSetApart(record));
  const ownKeyArgs = list(takenKeys(record).map(toArg));
  const reply = await runScript(
    redis,
    SCRIPTS.writeBack,
    [
      keys.worker(workerId),
      keys.indexes,
      [keys.byPath, keys.byKey, keys.filesDone, keys.events, keys.stats(now), keys.outbox],
      keys.ofStream(record.id),
      expected === "" ? [] : [keys.worker(expected)],
    ],
    [
      [nonce, workerId, now, KEPT.logEntries, KEPT.events, KEPT.statsMs, KEPT.outboxMost],
      list([]),
      writeBackArgs(record, parts, workerId, now),
      expected,
      list(voids),
      live ? toArg(pathField(record.source, record.original_path)) : "",
      holdsKeys ? [...ownKeyArgs, ...list([])] : [...list([]), ...ownKeyArgs],
    ],
  );
  const name = replyName(reply, [
    "written",
    "kept",
    "changed",
    "path_taken",
    "key_taken",
    "lost",
    "lapsed",
  ] as const);
  if (name === "lapsed")
    throw new CheckpointError(`the lease of ${workerId} has lapsed; writes wait until it is renewed`);
  const value = reply.length > 1 ? replyText(reply, 1) : "";
  return [name, name === "lost" ? `${value} ${replyText(reply, 2)}` : value] as const;
}

async function isHeldElsewhere(
  { redis, keys }: SchemaContext,
  { workerId }: WorkerIdentity,
  id: string,
): Promise<boolean> {
  const { owner } = fromBuffers(
    await callRedis("look for the holder", () => redis.hgetallBuffer(keys.streamMeta(id))),
  );
  return owner !== undefined && owner !== workerId;
}
