/**
 * The newest streams of several indexes, straight from their sorted sets: each is read in small steps, and only as far
 * as its streams are among the newest.
 */
import type { Index } from "@sluice/core/stream/state";
import type { StreamReader } from "@sluice/redis-schema/stream-reader";
import type { StreamRow } from "@sluice/control/stream-row";

/** Rows read from each index in one step. */
const STEP = 25;

interface Source {
  index: Index;
  /** Read but not returned yet, newest first. */
  rows: StreamRow[];
  /** Undefined before the first read, null at the end. */
  cursor: string | null | undefined;
}

export async function newestFirst(
  hub: { reader: Pick<StreamReader, "page"> },
  indexes: readonly Index[],
  limit: number,
  wanted: (row: StreamRow) => boolean,
): Promise<StreamRow[]> {
  const sources = indexes.map((index): Source => ({ index, rows: [], cursor: undefined }));
  const taken: StreamRow[] = [];
  while (taken.length < limit) {
    // The next row is known only if every unfinished index has a row ready.
    await Promise.all(
      sources.filter((source) => source.rows.length === 0).map((source) => refill(hub.reader, source)),
    );
    const next = newestOf(sources);
    if (next === undefined) break;
    const row = next.rows.shift();
    if (row !== undefined && wanted(row)) taken.push(row);
  }
  return taken;
}

async function refill(reader: Pick<StreamReader, "page">, source: Source): Promise<void> {
  if (source.cursor === null) return;
  const request = { limit: STEP, ...(source.cursor === undefined ? {} : { cursor: source.cursor }) };
  const page = await reader.page(source.index, request);
  source.rows = page.rows;
  source.cursor = page.next ?? null;
}

function newestOf(sources: readonly Source[]): Source | undefined {
  let newest: Source | undefined;
  for (const source of sources) {
    const [row] = source.rows;
    if (row !== undefined && (row.score ?? 0) > (newest?.rows[0]?.score ?? -1)) newest = source;
  }
  return newest;
}
