import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodePath, displayPath, encodePath, isEscaped, splitEscapes } from "./raw-path.ts";

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "utf8"));
/** Bytes as a file system gives them: anything, often nearly UTF-8. */
const raw = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.string({ unit: "binary" }).map(bytes),
  fc
    .tuple(fc.string(), fc.uint8Array({ maxLength: 4 }), fc.string({ unit: "binary" }))
    .map(([a, b, c]) => new Uint8Array([...bytes(a), ...b, ...bytes(c)])),
);

describe("a path", () => {
  it("F25: comes back as exactly the bytes it was, whatever they are", () => {
    fc.assert(
      fc.property(raw, (path) => {
        expect([...encodePath(decodePath(path))]).toEqual([...path]);
      }),
      { numRuns: 1_000 },
    );
  });

  it("F25: is told from every other path by its string", () => {
    fc.assert(
      fc.property(raw, raw, (a, b) => {
        expect(decodePath(a) === decodePath(b)).toBe(Buffer.compare(a, b) === 0);
      }),
    );
  });

  it("F26: of ordinary text is that text, whatever the script", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        fc.pre(text.isWellFormed());
        expect(decodePath(bytes(text))).toBe(text);
        expect(displayPath(text)).toBe(text);
        expect(isEscaped(text)).toBe(false);
      }),
    );
  });

  it.each([
    ["a lone high byte", [0x61, 0xff], "a\udcff", "a%FF"],
    ["a sequence that ends early", [0xe2, 0x82], "\udce2\udc82", "%E2%82"],
    ["an overlong slash", [0xc0, 0xaf], "\udcc0\udcaf", "%C0%AF"],
    ["a surrogate written as UTF-8", [0xed, 0xb2, 0x80], "\udced\udcb2\udc80", "%ED%B2%80"],
    ["an emoji, then a bad byte", [0xf0, 0x9f, 0x8e, 0xac, 0xfe], "🎬\udcfe", "🎬%FE"],
  ])("F25: with %s is escaped and shown as %%XX", (_case, given, text, shown) => {
    expect(decodePath(Uint8Array.from(given))).toBe(text);
    expect(displayPath(text)).toBe(shown);
    expect(isEscaped(text)).toBe(true);
  });

  it("keeps a byte order mark", () => {
    expect(decodePath(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61))).toBe("\ufeffa");
  });
});

it("escapes and plain runs stand in order", () => {
  expect(splitEscapes("ab\udc80c\udc81")).toEqual([
    { text: "ab", escaped: false },
    { text: "\udc80", escaped: true },
    { text: "c", escaped: false },
    { text: "\udc81", escaped: true },
  ]);
});
