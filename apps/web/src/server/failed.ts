/** Failed streams by reason: the cause, what to do, and what a purge would lose. */
import {
  failureReason,
  hasUpload,
  indexOfRow,
  isSuperseded,
  sentBytes,
  whereBytesAre,
  type StreamRow,
} from "@sluice/control/stream-row";
import { obstacle } from "@sluice/control/actions";
import { matches, type RowFilter } from "@sluice/control/row-filter";
import { failureWords } from "@sluice/control/words";
import type { Hub } from "./hub.ts";

export interface FailedGroup {
  reason: string;
  superseded: boolean;
  count: number;
  cause: string;
  remedy: string;
  /** Bytes that are only on local disk. */
  only_on_disk: number;
  /** Bytes that went with their files. */
  lost: number;
  /** Bytes not in S3 of files that cannot be looked at now. */
  unknown: number;
  /** Bytes that open uploads alone hold, for their files are gone or cannot be looked at. */
  only_copy: number;
  /** How many streams can be salvaged. */
  salvageable: number;
  /** Bytes that S3 has in their open uploads. */
  in_s3: number;
  open_uploads: number;
  /** The newest streams. */
  sample: StreamRow[];
}

const SAMPLE = 5;
const WAIT_FOR_FILL_MS = 8_000;

/** `span`: only streams that failed from `since` to before `until`, ms since 1970. */
export async function failedGroups(
  hub: Hub,
  span: Pick<RowFilter, "since" | "until"> = {},
): Promise<{ groups: FailedGroup[]; filling: boolean }> {
  const filled = await hub.model.whenFilled(WAIT_FOR_FILL_MS);
  const now = Date.now();
  const groups = new Map<string, StreamRow[]>();
  for (const row of hub.model.rows.values()) {
    if (indexOfRow(row) !== "failed" || !matches(row, { time: "failed", ...span }, now)) continue;
    const name = `${isSuperseded(row) ? "1" : "0"}${failureReason(row) ?? ""}`;
    const rows = groups.get(name);
    if (rows === undefined) groups.set(name, [row]);
    else rows.push(row);
  }
  const all = [...groups].map(([name, rows]) => groupOf(name.slice(1), name.startsWith("1"), rows));
  // Superseded streams need no action: they come last.
  return {
    filling: !filled,
    groups: all.sort((a, b) => Number(a.superseded) - Number(b.superseded) || b.count - a.count),
  };
}

function groupOf(reason: string, superseded: boolean, rows: StreamRow[]): FailedGroup {
  const uploads = rows.filter(hasUpload);
  const sum = (of: (row: StreamRow) => number): number => rows.reduce((total, row) => total + of(row), 0);
  return {
    reason,
    superseded,
    count: rows.length,
    ...failureWords(reason),
    only_on_disk: sum((row) => whereBytesAre(row).disk),
    lost: sum((row) => whereBytesAre(row).lost),
    unknown: sum((row) => whereBytesAre(row).unknown),
    only_copy: sum((row) => whereBytesAre(row).onlyCopy),
    salvageable: rows.filter((row) => obstacle("salvage", row) === undefined).length,
    in_s3: uploads.reduce((sum, row) => sum + sentBytes(row), 0),
    open_uploads: uploads.length,
    sample: rows.sort((a, b) => (a.id < b.id ? 1 : -1)).slice(0, SAMPLE),
  };
}
