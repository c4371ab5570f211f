/** Streams as lists show them, and which of them a person asked for. Newest first. */
import { INDEXES, INDEX_OF, KINDS, type Index, type Kind } from "@sluice/core";
import type { ListedStream, StreamReader } from "@sluice/redis-schema";

export interface RowFilter {
  kinds?: ReadonlySet<Kind>;
  reasons?: readonly string[] | undefined;
  source?: string | undefined;
  watch?: string | undefined;
  /** Part of the path or of the key. */
  path?: string | undefined;
  /** ms since the last activity. */
  olderThan?: number | undefined;
}

const PAGE = 500;

/** Streams of these indexes that match. One that moves between two looks is given once. */
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

/** Pure. A filter that asks for what a row does not have leaves it out. */
export function matches(row: ListedStream, filter: RowFilter, nowMs: number): boolean {
  const { kinds, reasons, source, watch, path, olderThan } = filter;
  if (kinds && (row.kind === undefined || !kinds.has(row.kind))) return false;
  if (reasons && !reasons.includes(reasonOf(row))) return false;
  if (source !== undefined && row.source !== source) return false;
  if (watch !== undefined && row.watch !== watch) return false;
  if (path !== undefined && !row.original_path?.includes(path) && !row.s3_key?.includes(path)) return false;
  return olderThan === undefined || nowMs - (activityMs(row) ?? nowMs) >= olderThan;
}

/** `failed_<reason>` names it even where the field is missing. */
export function reasonOf(row: Pick<ListedStream, "status" | "failure_reason">): string {
  return row.failure_reason ?? row.status.replace(/^failed_/, "");
}

export function activityMs(row: ListedStream): number | undefined {
  const { last_activity_at_utc: at, score } = row;
  const ms = at === undefined ? Number.NaN : Date.parse(at);
  return Number.isNaN(ms) ? score : ms;
}

/** On local disk only. What is sealed is in S3 whole, also when it went there in one Put. */
export function unsentBytes(row: Pick<ListedStream, "kind" | "file_size" | "bytes_sent">): number {
  if (row.kind === "s3_completed" || row.kind === "completed") return 0;
  return Math.max(0, (row.file_size ?? 0) - (row.bytes_sent ?? 0));
}

export function hasUpload(row: Pick<ListedStream, "s3_upload_id">): boolean {
  return row.s3_upload_id !== undefined && row.s3_upload_id !== "";
}

/** As stored, with the id; what only this program computes stays out. */
export function rowToJson(row: ListedStream): Record<string, unknown> {
  const { id, kind: _, index: __, score: ___, ...fields } = row;
  return { id, ...fields };
}

/** Words for states: an index, a kind, or all. */
export const STATE_WORDS = ["all", ...new Set<string>([...INDEXES, ...KINDS])] as const;

export interface StateChoice {
  indexes: Index[];
  kinds: ReadonlySet<Kind> | undefined;
}

/** What words such as `failed` or `opening` ask for; undefined for a word that is none. */
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
  // A record that cannot be read has no kind: it is listed wherever all of its index is.
  const isWhole = indexes.every((index) =>
    KINDS.every((kind) => INDEX_OF[kind] !== index || kinds.has(kind)),
  );
  return { indexes, kinds: isWhole ? undefined : kinds };
}
