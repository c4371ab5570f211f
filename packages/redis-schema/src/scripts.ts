/**
 * Every change of several keys is one of these scripts. A script is sent by its hash; a Redis that does not know it
 * (after a restart, a failover or a flush) gets the source with the repeated command.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { RedisClient } from "./connection.ts";
import type { Arg } from "./records/text.ts";
import { callRedis } from "./replies.ts";

const LIBRARIES: Record<string, string> = {
  "lib-args": read(new URL("./scripts/lib-args.lua", import.meta.url)),
  "lib-check": read(new URL("./scripts/lib-check.lua", import.meta.url)),
  "lib-stream": read(new URL("./scripts/lib-stream.lua", import.meta.url)),
};

export interface Script {
  readonly name: string;
  /** What it does, in a sentence or two: its opening comment. */
  readonly purpose: string;
  readonly source: string;
  readonly sha: string;
}

// Each URL is a literal, so that bundlers see which files belong to the program.
export const SCRIPTS = {
  writeStream: script("write-stream", new URL("./scripts/write-stream.lua", import.meta.url)),
  writeBack: script("write-back", new URL("./scripts/write-back.lua", import.meta.url)),
  openStream: script("open-stream", new URL("./scripts/open-stream.lua", import.meta.url)),
  claimStream: script("claim-stream", new URL("./scripts/claim-stream.lua", import.meta.url)),
  releaseStream: script("release-stream", new URL("./scripts/release-stream.lua", import.meta.url)),
  renewLease: script("renew-lease", new URL("./scripts/renew-lease.lua", import.meta.url)),
  endLease: script("end-lease", new URL("./scripts/end-lease.lua", import.meta.url)),
  purgeStream: script("purge-stream", new URL("./scripts/purge-stream.lua", import.meta.url)),
  pruneHistory: script("prune-history", new URL("./scripts/prune-history.lua", import.meta.url)),
  repairIndex: script("repair-index", new URL("./scripts/repair-index.lua", import.meta.url)),
  restoreNames: script("restore-names", new URL("./scripts/restore-names.lua", import.meta.url)),
  failBroken: script("fail-broken", new URL("./scripts/fail-broken.lua", import.meta.url)),
  noteSource: script("note-source", new URL("./scripts/note-source.lua", import.meta.url)),
  reportStalled: script("report-stalled", new URL("./scripts/report-stalled.lua", import.meta.url)),
  reportWorker: script("report-worker", new URL("./scripts/report-worker.lua", import.meta.url)),
  takeTurn: script("take-turn", new URL("./scripts/take-turn.lua", import.meta.url)),
  retryMessage: script("retry-message", new URL("./scripts/retry-message.lua", import.meta.url)),
  endTurn: script("end-turn", new URL("./scripts/end-turn.lua", import.meta.url)),
  convertIndex: script("convert-index", new URL("./scripts/convert-index.lua", import.meta.url)),
  fileRequest: script("file-request", new URL("./scripts/file-request.lua", import.meta.url)),
  settleRequest: script("settle-request", new URL("./scripts/settle-request.lua", import.meta.url)),
  holdItem: script("hold-item", new URL("./scripts/hold-item.lua", import.meta.url)),
  readClock: script("read-clock", new URL("./scripts/read-clock.lua", import.meta.url)),
  consumePlan: script("consume-plan", new URL("./scripts/consume-plan.lua", import.meta.url)),
  renewDone: script("renew-done", new URL("./scripts/renew-done.lua", import.meta.url)),
  moveDone: script("move-done", new URL("./scripts/move-done.lua", import.meta.url)),
  countLogin: script("count-login", new URL("./scripts/count-login.lua", import.meta.url)),
  forgiveLogin: script("forgive-login", new URL("./scripts/forgive-login.lua", import.meta.url)),
} as const;

/**
 * Keys and arguments may be grouped; they are sent flat. The reply is its name, then its values as bytes. Rejects with
 * CheckpointError if Redis is unavailable, slow or refuses.
 */
export async function runScript(
  redis: RedisClient,
  which: Script,
  keys: readonly (string | readonly string[])[],
  args: readonly (Arg | readonly Arg[])[],
): Promise<unknown[]> {
  const reply = await callRedis(which.name, () => evaluate(redis, which, keys.flat(), args.flat()));
  if (!Array.isArray(reply)) throw new TypeError(`${which.name} replied with ${typeof reply}, not a list`);
  return reply;
}

async function evaluate(
  redis: RedisClient,
  which: Script,
  keys: readonly string[],
  args: readonly Arg[],
): Promise<unknown> {
  const bySha = () => redis.evalshaBuffer(which.sha, keys.length, ...keys, ...args);
  const bySource = () => redis.evalBuffer(which.source, keys.length, ...keys, ...args);
  try {
    return await bySha();
  } catch (error) {
    if (!isUnknown(error)) throw error;
  }
  // Hundreds of commands may fail at once: one sends the source, the others wait for it and then use the hash again.
  const bringing = pending(redis).get(which.sha);
  if (bringing === undefined) return bring(redis, which, bySource());
  await bringing;
  try {
    return await bySha();
  } catch (error) {
    if (!isUnknown(error)) throw error;
    return bySource();
  }
}

const bringers = new WeakMap<RedisClient, Map<string, Promise<void>>>();

function pending(redis: RedisClient): Map<string, Promise<void>> {
  const known = bringers.get(redis);
  if (known) return known;
  const fresh = new Map<string, Promise<void>>();
  bringers.set(redis, fresh);
  return fresh;
}

/** Its own caller gets the error; others only wait until it is finished. */
async function bring(redis: RedisClient, which: Script, evaluation: Promise<unknown>): Promise<unknown> {
  const over = Promise.withResolvers<void>();
  pending(redis).set(which.sha, over.promise);
  try {
    return await evaluation;
  } finally {
    pending(redis).delete(which.sha);
    over.resolve();
  }
}

function isUnknown(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("NOSCRIPT");
}

function script(name: string, url: URL): Script {
  const body = read(url);
  const uses = /^-- uses: (.*)$/m.exec(body)?.[1]?.split(" ") ?? [];
  const opening = /^((?:-- .*\n)+)-- KEYS: /.exec(body)?.[1] ?? "";
  const purpose = opening.replace(/^-- /gm, "").trim().replaceAll("\n", " ");
  const source = [...uses.map(library), body].join("\n");
  return { name, purpose, source, sha: createHash("sha1").update(source).digest("hex") };
}

function library(name: string): string {
  const source = LIBRARIES[name];
  if (source === undefined) throw new TypeError(`no Lua library is called ${name}`);
  return source;
}

function read(url: URL): string {
  return readFileSync(url, "utf8");
}
