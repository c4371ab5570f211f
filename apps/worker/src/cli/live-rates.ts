/** How fast streams grow and go up, and when what is on disk is in S3: from what was seen of them lately. Pure. */
import { lagBytes, type StreamRow } from "@sluice/control/stream-row";

/** Parts come in steps: a shorter look would show nothing between two of them. */
const LOOK_BACK_MS = 15_000;

interface Seen {
  atMs: number;
  size: number;
  sent: number;
}

export interface LiveRate {
  /** Bytes a second, over the last seconds; undefined at the first look. */
  written: number | undefined;
  sent: number | undefined;
  /** Until what is on disk now is in S3, at that rate; undefined where nothing goes up or nothing waits. */
  etaMs: number | undefined;
}

type Row = Pick<StreamRow, "id" | "kind" | "file_size" | "bytes_sent">;

export class LiveRates {
  readonly #seen = new Map<string, Seen[]>();

  /** Every live stream there is now: others are forgotten. */
  see(rows: readonly Row[], atMs: number): void {
    const ids = new Set(rows.map(({ id }) => id));
    for (const id of this.#seen.keys()) if (!ids.has(id)) this.#seen.delete(id);
    for (const { id, file_size: size = 0, bytes_sent: sent = 0 } of rows) {
      const before = this.#seen.get(id) ?? [];
      // The last one before the look back stays: the span is never shorter than it for want of a look.
      const from = before.findLastIndex((one) => one.atMs <= atMs - LOOK_BACK_MS);
      this.#seen.set(id, [...before.slice(Math.max(0, from)), { atMs, size, sent }]);
    }
  }

  of(row: Row): LiveRate {
    const seen = this.#seen.get(row.id) ?? [];
    const [first, last] = [seen[0], seen.at(-1)];
    if (first === undefined || last === undefined || last.atMs <= first.atMs)
      return { written: undefined, sent: undefined, etaMs: undefined };
    const seconds = (last.atMs - first.atMs) / 1_000;
    const written = Math.max(0, last.size - first.size) / seconds;
    const sent = Math.max(0, last.sent - first.sent) / seconds;
    const lag = lagBytes(row);
    return { written, sent, etaMs: lag > 0 && sent > 0 ? (lag / sent) * 1_000 : undefined };
  }
}
