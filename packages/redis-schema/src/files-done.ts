/** Every completed file stays known until a rescan finds it gone, so that nothing is sent twice. */
import type { DoneEntry } from "@sluice/core";
import type { SchemaContext } from "./context.ts";
import { eachEntry, readEntries, removeEntries } from "./hash-entries.ts";
import { formatDone, parseDone } from "./records/file-entries.ts";
import { pathField, pathOfField, toArg } from "./records/text.ts";
import { callRedis, replyName } from "./replies.ts";
import { runScript, SCRIPTS } from "./scripts.ts";

export interface DoneMove {
  from: string;
  to: string;
  /** Which stream made the entry that is moved, as far as the caller knows. */
  stream: string;
  /** Which stream made the entry at the new name, undefined for none. Not asked where that entry is moved as well. */
  over: string | undefined;
}

export class FilesDone {
  readonly #context: SchemaContext;

  constructor(context: SchemaContext) {
    this.#context = context;
  }

  /** Every entry of a source, by path. An entry that cannot be parsed counts as missing: the store is asked instead. */
  async load(source: string): Promise<Map<string, DoneEntry>> {
    const { redis, keys } = this.#context;
    const entries = new Map<string, DoneEntry>();
    for await (const { field, parsed } of eachEntry(redis, keys.filesDone, parseDone)) {
      const path = pathOfField(source, field);
      if (path !== undefined && parsed.kind === "ok") entries.set(path, parsed.value);
    }
    return entries;
  }

  async get(source: string, paths: readonly string[]): Promise<(DoneEntry | undefined)[]> {
    const { redis, keys } = this.#context;
    const fields = paths.map((path) => pathField(source, path));
    const entries = await readEntries(redis, keys.filesDone, fields, parseDone);
    return entries.map((entry) => (entry?.parsed.kind === "ok" ? entry.parsed.value : undefined));
  }

  /** For files found in the store that no stream of this Redis completed. */
  async put(source: string, entries: readonly { path: string; entry: DoneEntry }[]): Promise<void> {
    const { redis, keys } = this.#context;
    if (entries.length === 0) return;
    const flat = entries.flatMap(({ path, entry }) => [toArg(pathField(source, path)), formatDone(entry)]);
    await callRedis("record completed files", () => redis.hset(keys.filesDone, ...flat));
  }

  /** `changed`: another stream has completed the file again, or a rescan found it gone. */
  async renew(
    source: string,
    path: string,
    before: DoneEntry,
    after: DoneEntry,
  ): Promise<{ kind: "renewed" } | { kind: "changed" }> {
    const { redis, keys } = this.#context;
    const field = pathField(source, path);
    const [entry] = await readEntries(redis, keys.filesDone, [field], parseDone);
    const known = entry?.parsed.kind === "ok" && entry.parsed.value.stream_id === before.stream_id;
    if (!entry || !known) return { kind: "changed" };
    const args = [field, entry.text, formatDone(after)].map(toArg);
    const reply = await runScript(redis, SCRIPTS.renewDone, [keys.filesDone], args);
    return { kind: replyName(reply, ["renewed", "changed"]) };
  }

  async remove(source: string, paths: readonly string[]): Promise<void> {
    const { redis, keys } = this.#context;
    await removeEntries(
      redis,
      keys.filesDone,
      paths.map((path) => pathField(source, path)),
    );
  }

  /**
   * Moves the entries of completed files that were renamed inside their watch, all in one step, so that swapped names
   * lose none. An entry at a new name that is not moved itself is overwritten. `changed`: an entry, at an old name or at
   * a new one, is not the one that the caller knows: another worker has moved it, or completed another file; or a live
   * stream has the entry's key, and replaces its object. Then none was moved.
   */
  async move(source: string, moves: readonly DoneMove[]): Promise<{ kind: "moved" } | { kind: "changed" }> {
    const { redis, keys } = this.#context;
    const leaving = new Set(moves.map(({ from }) => from));
    const fields = moves.flatMap(({ from, to }) => [pathField(source, from), pathField(source, to)]);
    const entries = await readEntries(redis, keys.filesDone, fields, parseDone);
    const args: string[] = [];
    for (const [at, { to, stream, over }] of moves.entries()) {
      const [entry, there] = [entries[2 * at], entries[2 * at + 1]];
      if (entry?.parsed.kind !== "ok" || entry.parsed.value.stream_id !== stream) return { kind: "changed" };
      // One that cannot be read counts as missing.
      const present = there?.parsed.kind === "ok" ? there.parsed.value.stream_id : undefined;
      if (!leaving.has(to) && present !== over) return { kind: "changed" };
      const { s3_bucket, s3_key } = entry.parsed.value;
      args.push(fields[2 * at] ?? "", fields[2 * at + 1] ?? "", entry.text, there?.text ?? "");
      args.push(`${s3_bucket}/${s3_key}`, stream);
    }
    const reply = await runScript(redis, SCRIPTS.moveDone, [keys.filesDone, keys.byKey], args.map(toArg));
    return { kind: replyName(reply, ["moved", "changed"]) };
  }
}
