import fc from "fast-check";
import { expect, test } from "vitest";
import { type Listable, type Listed, listPage, pastKey, pastPrefix } from "./listing.ts";

function sourceOf(keys: readonly string[]): Listable<Buffer, Buffer> {
  const sorted = [...new Set(keys)].map((key) => Buffer.from(key)).toSorted(Buffer.compare);
  return {
    from: (cursor, limit) => sorted.filter((key) => Buffer.compare(key, cursor) >= 0).slice(0, limit),
    keyOf: (key) => key,
    after: pastKey,
    past: pastPrefix,
  };
}

/** What a listing is by definition, computed the slow way. */
function expected(keys: readonly string[], prefix: string, delimiter: string): string[] {
  const rolled = keys
    .filter((key) => key.startsWith(prefix))
    .map((key) => {
      const at = delimiter === "" ? -1 : key.indexOf(delimiter, prefix.length);
      return at === -1 ? `key ${key}` : `prefix ${key.slice(0, at + delimiter.length)}`;
    });
  return [...new Set(rolled)].toSorted();
}

function listAll(keys: readonly string[], prefix: string, delimiter: string, max: number): string[] {
  const found: string[] = [];
  let start: Buffer | undefined = Buffer.from(prefix);
  while (start !== undefined) {
    const page: Listed<Buffer, Buffer> = listPage(sourceOf(keys), {
      prefix: Buffer.from(prefix),
      delimiter: Buffer.from(delimiter),
      start,
      max,
    });
    if (page.entries.length + page.commonPrefixes.length > max) throw new Error("a page is too long");
    found.push(
      ...page.entries.map((key) => `key ${key.toString()}`),
      ...page.commonPrefixes.map((one) => `prefix ${one}`),
    );
    start = page.next;
  }
  return found.toSorted();
}

test("pages of any size join to exactly the keys and common prefixes there are", () => {
  const part = fc.string({ unit: fc.constantFrom("a", "b", "/", "é", "\u{1F3AC}"), maxLength: 5 });
  const cases = fc.record({
    keys: fc.array(
      part.filter((key) => key !== ""),
      { maxLength: 12 },
    ),
    prefix: fc.oneof(fc.constant(""), part),
    delimiter: fc.constantFrom("", "/", "a/", "é"),
    max: fc.integer({ min: 1, max: 5 }),
  });
  fc.assert(
    fc.property(cases, ({ keys, prefix, delimiter, max }) => {
      expect(listAll(keys, prefix, delimiter, max)).toEqual(expected(keys, prefix, delimiter));
    }),
  );
});
