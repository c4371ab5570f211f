/**
 * The last write of a stream is lost the way a power failure loses it: the end of Redis's own append-only file is cut
 * off, at a whole transaction. Redis must be down.
 */
import { readFileSync, readdirSync, truncateSync } from "node:fs";
import { join } from "node:path";

interface Entry {
  /** Byte at which it begins. */
  at: number;
  command: string[];
}

/** Cuts at the last write that names a stream's keys; returns how many commands were lost with it and after it. */
export function loseLastWrite(redisDirectory: string): number {
  const directory = join(redisDirectory, "appendonlydir");
  const name = readdirSync(directory).find((file) => file.endsWith(".incr.aof"));
  if (name === undefined) return 0;
  const file = join(directory, name);
  const entries = [...parse(readFileSync(file))];
  const last = entries.findLastIndex(({ command }) => command.some((word) => word.startsWith("stream:")));
  if (last === -1) return 0;
  // What a script wrote stands between MULTI and EXEC: all of it goes, or nothing.
  let first = last;
  for (let at = last; at >= 0; at -= 1) {
    const verb = entries[at]?.command[0]?.toUpperCase();
    if (verb === "EXEC" && at < last) break;
    if (verb === "MULTI") {
      first = at;
      break;
    }
  }
  const cut = entries[first];
  if (cut === undefined) return 0;
  truncateSync(file, cut.at);
  return entries.length - first;
}

/** Commands as Redis writes them down: arrays of bulk strings. */
function* parse(bytes: Buffer): Generator<Entry> {
  let at = 0;
  const line = (): string => {
    const end = bytes.indexOf("\r\n", at);
    const text = bytes.toString("latin1", at, end);
    at = end + 2;
    return text;
  };
  while (at < bytes.length) {
    const begin = at;
    const head = line();
    if (head.startsWith("#")) continue;
    const command: string[] = [];
    for (let words = Number(head.slice(1)); words > 0; words -= 1) {
      const length = Number(line().slice(1));
      command.push(bytes.toString("latin1", at, at + length));
      at += length + 2;
    }
    yield { at: begin, command };
  }
}
