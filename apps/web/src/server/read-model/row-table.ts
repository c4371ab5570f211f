/** Rows by id, with the number of rows in each index kept up to date, so that counts cost nothing. */
import type { Index } from "@sluice/core/stream/state";
import { RowCompactor } from "./compact-row.ts";
import { indexOfRow, isSuperseded, type StreamRow } from "@sluice/control/stream-row";

export type RowCounts = Record<Index, number> & {
  /** Failed streams that another generation replaced. */
  superseded: number;
};

export class RowTable {
  readonly #rows = new Map<string, StreamRow>();
  readonly #compactor = new RowCompactor();
  readonly #counts: RowCounts = { active: 0, pending_completion: 0, failed: 0, completed: 0, superseded: 0 };

  get counts(): Readonly<RowCounts> {
    return this.#counts;
  }

  get(id: string): StreamRow | undefined {
    return this.#rows.get(id);
  }

  values(): IterableIterator<StreamRow> {
    return this.#rows.values();
  }

  put(row: StreamRow): void {
    this.remove(row.id);
    this.#rows.set(row.id, this.#compactor.compact(row));
    this.#count(row, 1);
  }

  remove(id: string): void {
    const row = this.#rows.get(id);
    if (row === undefined) return;
    this.#rows.delete(id);
    this.#count(row, -1);
  }

  #count(row: StreamRow, by: 1 | -1): void {
    const index = indexOfRow(row);
    if (index === undefined) return;
    this.#counts[index] += by;
    if (index === "failed" && isSuperseded(row)) this.#counts.superseded += by;
  }
}
