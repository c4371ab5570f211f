/** Redis as any operator may see it: through redis-cli and the keys of the wire contract. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";

export const INDEXES = [
  "streams:active",
  "streams:pending_completion",
  "streams:failed",
  "streams:completed",
] as const;

export interface StreamSeen {
  id: string;
  status: string;
  path: string;
  indexes: string[];
}

export interface RecordsSeen {
  streams: StreamSeen[];
  /** Ids that an index names and that have no record. */
  phantoms: string[];
  /** Ids that hold a path or a key. */
  claims: string[];
  /** `<source>:<path>` of every completed file. */
  done: string[];
}

export async function readRecords(port: number): Promise<RecordsSeen> {
  const [keys, byPath, byKey, done, ...indexed] = (await ask(port, [
    "KEYS stream:*:meta",
    "HVALS streams:by_path",
    "HVALS streams:by_key",
    "HKEYS files:done",
    ...INDEXES.map((index) => `ZRANGE ${index} 0 -1`),
  ])) as string[][];
  const ids = (keys ?? []).map((key) => key.slice("stream:".length, -":meta".length));
  const records = (await ask(
    port,
    ids.map((id) => `HGETALL stream:${id}:meta`),
  )) as Record<string, string>[];
  const streams = ids.map((id, at) => ({
    id,
    status: records[at]?.["status"] ?? "",
    path: records[at]?.["original_path"] ?? "",
    indexes: INDEXES.filter((_, index) => indexed[index]?.includes(id)),
  }));
  const phantoms = indexed.flat().filter((id) => !ids.includes(id));
  return { streams, phantoms, claims: [...(byPath ?? []), ...(byKey ?? [])], done: done ?? [] };
}

/** One JSON value a command. */
async function ask(port: number, commands: readonly string[]): Promise<unknown[]> {
  if (commands.length === 0) return [];
  const cli = spawn("redis-cli", ["-p", String(port), "--json"], { stdio: ["pipe", "pipe", "inherit"] });
  const ended = once(cli, "exit");
  cli.stdin.end(`${commands.join("\n")}\n`);
  const lines = (await text(cli.stdout)).split("\n").filter((line) => line !== "");
  await ended;
  if (lines.length !== commands.length) {
    throw new Error(`redis-cli gave ${lines.length} answers to ${commands.length} commands`);
  }
  return lines.map((line) => JSON.parse(line) as unknown);
}
