/** A purged file is ignored until it changes or an operator retries its path. */
import type { SchemaContext } from "./context.ts";
import { eachEntry, readEntries, removeEntries } from "./hash-entries.ts";
import { parseIgnored, type IgnoredEntry } from "./records/file-entries.ts";
import { pathField, pathOfField } from "./records/text.ts";

export class IgnoredFiles {
  readonly #context: SchemaContext;

  constructor(context: SchemaContext) {
    this.#context = context;
  }

  /** Every mark of a source, by path. A mark that cannot be parsed counts as missing: the file is seen again. */
  async load(source: string): Promise<Map<string, IgnoredEntry>> {
    const { redis, keys } = this.#context;
    const entries = new Map<string, IgnoredEntry>();
    for await (const { field, parsed } of eachEntry(redis, keys.filesIgnored, parseIgnored)) {
      const path = pathOfField(source, field);
      if (path !== undefined && parsed.kind === "ok") entries.set(path, parsed.value);
    }
    return entries;
  }

  /** Marks of all sources, for the dashboard: `field` is `<source>:<path>`. */
  async all(): Promise<{ field: string; entry: IgnoredEntry }[]> {
    const { redis, keys } = this.#context;
    const entries: { field: string; entry: IgnoredEntry }[] = [];
    for await (const { field, parsed } of eachEntry(redis, keys.filesIgnored, parseIgnored)) {
      if (parsed.kind === "ok") entries.push({ field, entry: parsed.value });
    }
    return entries;
  }

  async get(source: string, path: string): Promise<IgnoredEntry | undefined> {
    const { redis, keys } = this.#context;
    const [entry] = await readEntries(redis, keys.filesIgnored, [pathField(source, path)], parseIgnored);
    return entry?.parsed.kind === "ok" ? entry.parsed.value : undefined;
  }

  async lift(source: string, paths: readonly string[]): Promise<void> {
    const { redis, keys } = this.#context;
    await removeEntries(
      redis,
      keys.filesIgnored,
      paths.map((path) => pathField(source, path)),
    );
  }
}
