/** Streams as lists show them, filtered as the user asked. Newest first. */
import { matches, type RowFilter } from "@sluice/control/row-filter";
import { INDEXES, INDEX_OF, KINDS, type Index, type Kind } from "@sluice/core";
import type { ListedStream, StreamReader } from "@sluice/redis-schema";

const PAGE = 500;

/** Streams of these indexes that match. A stream that moves to another index meanwhile is returned once. */
export async function* selectRows(
  reader: StreamReader,
  indexes: readonly Index[],
  filter: RowFilter,
  nowMs: number,
): AsyncGenerator<ListedStream> {
  const seen = new Set<string>();
  for (const index of indexes) {
    let cursor: string | undefined;
    do {
      const page = await reader.page(index, { limit: PAGE, ...(cursor === undefined ? {} : { cursor }) });
      for (const row of page.rows) {
        if (seen.has(row.id)) continue;
        seen.add(row.id);
        if (matches(row, filter, nowMs)) yield row;
      }
      cursor = page.next;
    } while (cursor !== undefined);
  }
}

export async function collect(rows: AsyncIterable<ListedStream>): Promise<ListedStream[]> {
  const all: ListedStream[] = [];
  for await (const row of rows) all.push(row);
  return all;
}

/** Words for states: an index, a kind, or all. */
export const STATE_WORDS = ["all", ...new Set<string>([...INDEXES, ...KINDS])] as const;

export interface StateChoice {
  indexes: Index[];
  kinds: ReadonlySet<Kind> | undefined;
}

/** What words such as `failed` or `opening` select; undefined for an unknown word. */
export function chooseStates(words: readonly string[]): StateChoice | undefined {
  const kinds = new Set<Kind>();
  for (const word of words) {
    const found = KINDS.filter((kind) => word === "all" || kind === word || INDEX_OF[kind] === word);
    if (found.length === 0) return undefined;
    for (const kind of found) kinds.add(kind);
  }
  const indexes = INDEXES.filter((index) =>
    KINDS.some((kind) => kinds.has(kind) && INDEX_OF[kind] === index),
  );
  // A record that cannot be parsed has no kind: it is listed wherever its whole index is.
  const isWhole = indexes.every((index) =>
    KINDS.every((kind) => INDEX_OF[kind] !== index || kinds.has(kind)),
  );
  return { indexes, kinds: isWhole ? undefined : kinds };
}
