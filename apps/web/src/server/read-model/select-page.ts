/**
 * One page of a filtered, sorted list in a single pass over all rows: the first rows after (or before) the cursor are
 * kept in a bounded heap, so 100,000 rows are never fully sorted.
 */
import type { Direction, Sort } from "../../streams/stream-filter.ts";
import { sortValue } from "../../streams/stream-filter.ts";
import type { StreamRow } from "@sluice/control/stream-row";

/** A position in a list, between the row it names and its neighbour. It stays valid when rows are added or removed. */
export interface Cursor {
  value: string | number;
  id: string;
}

export interface PageWish {
  sort: Sort;
  dir: Direction;
  limit: number;
  after?: Cursor | undefined;
  before?: Cursor | undefined;
}

export interface Page {
  rows: StreamRow[];
  /** Matching rows on all pages. */
  total: number;
  /** Rows before this page. */
  preceding: number;
}

export function selectPage(
  rows: Iterable<StreamRow>,
  wanted: (row: StreamRow) => boolean,
  wish: PageWish,
): Page {
  const order = orderOf(wish.dir);
  const backwards = wish.before !== undefined;
  // The heap's root is the row to drop first: the last of the page, or the first when reading backwards.
  const heap = new BoundedHeap<Entry>(wish.limit, backwards ? (a, b) => order(b, a) : order);
  let total = 0;
  let beforeCursor = 0;
  for (const row of rows) {
    if (!wanted(row)) continue;
    total += 1;
    const entry = { value: sortValue(row, wish.sort), id: row.id, row };
    if (wish.after !== undefined && order(entry, wish.after) <= 0) beforeCursor += 1;
    else if (wish.before !== undefined && order(entry, wish.before) >= 0) continue;
    else {
      if (backwards) beforeCursor += 1;
      heap.offer(entry);
    }
  }
  const picked = heap.take().sort(order);
  return {
    rows: picked.map((entry) => entry.row),
    total,
    preceding: backwards ? beforeCursor - picked.length : beforeCursor,
  };
}

interface Entry extends Cursor {
  row: StreamRow;
}

/** By value, then by id, so that no two rows are equal. */
function orderOf(dir: Direction): (a: Cursor, b: Cursor) => number {
  const sign = dir === "asc" ? 1 : -1;
  return (a, b) => sign * (compare(a.value, b.value) || compare(a.id, b.id));
}

function compare(a: string | number, b: string | number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Keeps the `limit` smallest entries in the given order. */
class BoundedHeap<T> {
  readonly #items: T[] = [];
  readonly #limit: number;
  readonly #order: (a: T, b: T) => number;

  constructor(limit: number, order: (a: T, b: T) => number) {
    this.#limit = limit;
    this.#order = order;
  }

  offer(item: T): void {
    const items = this.#items;
    if (items.length < this.#limit) {
      items.push(item);
      this.#rise(items.length - 1);
      return;
    }
    const root = items[0];
    if (root === undefined || this.#order(item, root) >= 0) return;
    items[0] = item;
    this.#sink(0);
  }

  take(): T[] {
    return this.#items;
  }

  #rise(from: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#later(at, parent)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  #sink(from: number): void {
    let at = from;
    for (;;) {
      const left = 2 * at + 1;
      let last = at;
      if (this.#later(left, last)) last = left;
      if (this.#later(left + 1, last)) last = left + 1;
      if (last === at) return;
      this.#swap(at, last);
      at = last;
    }
  }

  #later(a: number, b: number): boolean {
    const first = this.#items[a];
    const second = this.#items[b];
    return first !== undefined && second !== undefined && this.#order(first, second) > 0;
  }

  #swap(a: number, b: number): void {
    const first = this.#items[a];
    const second = this.#items[b];
    if (first === undefined || second === undefined) return;
    this.#items[a] = second;
    this.#items[b] = first;
  }
}
