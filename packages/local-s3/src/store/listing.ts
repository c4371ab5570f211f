/** One page of a listing: keys in byte order, keys that share a prefix up to the delimiter rolled into one entry, no entry twice. */

export interface Listed<Entry, Cursor> {
  readonly entries: readonly Entry[];
  readonly commonPrefixes: readonly string[];
  /** Where the next page begins; undefined on the last page. */
  readonly next?: Cursor;
  /** The last entry of this page, in order; undefined when the page is empty or ends in a common prefix. */
  readonly lastEntry?: Entry;
}

export interface Listable<Entry, Cursor> {
  /** At most `limit` entries from the cursor on, in order. */
  from(cursor: Cursor, limit: number): readonly Entry[];
  keyOf(entry: Entry): Buffer;
  /** The cursor right after an entry. */
  after(entry: Entry): Cursor;
  /** The cursor right after every key that begins with these bytes. */
  past(prefix: Buffer): Cursor;
}

export interface ListQuery<Cursor> {
  readonly prefix: Buffer;
  readonly delimiter: Buffer;
  /** Not before the first key with the prefix. */
  readonly start: Cursor;
  readonly max: number;
}

/** Keys are UTF-8, which never holds 0xff: this sorts after all of them with that prefix. */
export const pastPrefix = (prefix: Buffer): Buffer => Buffer.concat([prefix, Buffer.of(0xff)]);
/** The least key greater than this one. */
export const pastKey = (key: Buffer): Buffer => Buffer.concat([key, Buffer.of(0x00)]);

export function listPage<Entry, Cursor>(
  source: Listable<Entry, Cursor>,
  query: ListQuery<Cursor>,
): Listed<Entry, Cursor> {
  const entries: Entry[] = [];
  const commonPrefixes: string[] = [];
  let cursor = query.start;
  let last: Entry | undefined;
  if (query.max === 0) return { entries, commonPrefixes };
  for (;;) {
    const available = query.max - entries.length - commonPrefixes.length;
    const batch = source.from(cursor, available + 1);
    let jumped = false;
    for (const entry of batch) {
      const key = source.keyOf(entry);
      if (!startsWith(key, query.prefix)) return { entries, commonPrefixes };
      if (entries.length + commonPrefixes.length === query.max) {
        return { entries, commonPrefixes, next: cursor, ...(last !== undefined && { lastEntry: last }) };
      }
      const shared = commonPrefixOf(key, query.prefix, query.delimiter);
      if (shared === undefined) {
        entries.push(entry);
        cursor = source.after(entry);
        last = entry;
      } else {
        commonPrefixes.push(shared.toString());
        cursor = source.past(shared);
        last = undefined;
        jumped = true;
        break;
      }
    }
    if (!jumped && batch.length <= available) return { entries, commonPrefixes };
  }
}

function commonPrefixOf(key: Buffer, prefix: Buffer, delimiter: Buffer): Buffer | undefined {
  if (delimiter.length === 0) return undefined;
  const at = key.indexOf(delimiter, prefix.length);
  return at === -1 ? undefined : key.subarray(0, at + delimiter.length);
}

export const startsWith = (key: Buffer, prefix: Buffer): boolean =>
  key.length >= prefix.length && key.compare(prefix, 0, prefix.length, 0, prefix.length) === 0;
