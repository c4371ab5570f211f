/**
 * Completed files that were to be deleted or moved and were kept, because only silence said that they are complete and who
 * may still write them cannot be seen. A marker can come later than the delay, and says what was not known then.
 */
import type { DoneEntry, FileFacts, FileSource } from "@sluice/core";
import type { PathTable } from "./path-table.ts";
import { mayBe } from "./sighting.ts";
import type { Watch } from "../files/watch/watch.ts";

/** Files whose markers are looked for, the latest so many; the others stay where they are. */
const MOST = 1_000;

export interface Marked {
  path: string;
  watch: Watch;
  entry: DoneEntry;
  facts: FileFacts;
}

export class LateMarkers {
  readonly #kept = new Map<string, { id: string; watch: Watch }>();

  keep(path: string, id: string, watch: Watch): void {
    this.#kept.delete(path);
    this.#kept.set(path, { id, watch });
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MOST && oldest !== undefined) this.#kept.delete(oldest);
  }

  /** Files that are as they were completed, and by now bear a marker that is not older than their last write. */
  async *come(
    table: Pick<PathTable, "get">,
    files: Pick<FileSource, "look" | "marker">,
  ): AsyncGenerator<Marked> {
    for (const [path, { id, watch }] of this.#kept) {
      const known = table.get(path);
      if (known?.kind === "live") continue;
      if (known?.kind !== "done" || known.entry.stream_id !== id) {
        // Another stream completed it since, or it is gone.
        this.#kept.delete(path);
        continue;
      }
      const { entry } = known;
      const markedNs = await files.marker(path);
      if (markedNs === undefined || BigInt(markedNs) < BigInt(entry.file_mtime_ns)) continue;
      const look = await files.look(path);
      // What changed is seen to by whoever sights it.
      if (look.kind === "file" && isAsCompleted(entry, look.facts))
        yield { path, watch, entry, facts: look.facts };
    }
  }
}

function isAsCompleted(entry: DoneEntry, facts: FileFacts): boolean {
  return mayBe(entry, facts) && entry.file_size === facts.size && entry.file_mtime_ns === facts.mtimeNs;
}
