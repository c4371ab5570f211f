import { describe, expect, test } from "vitest";
import { moveBatches, safeMoves } from "./move-batches.ts";

const move = (text: string) => ({ from: text[0] ?? "", to: text[1] ?? "" });
const words = (moves: readonly { from: string; to: string }[]): string[] =>
  moves.map(({ from, to }) => from + to).toSorted();

describe("D2a: moves of entries", () => {
  test.each([
    ["a swap is safe by itself", ["ab", "ba"], "", ["ab", "ba"]],
    ["so is a circle of three", ["ab", "bc", "ca"], "", ["ab", "bc", "ca"]],
    ["a rotation ends at a free name", ["ab", "bc"], "c", ["ab", "bc"]],
    ["one that ends at a name whose own file was not found waits as a whole", ["ab", "bc"], "", []],
    ["beside a swap that is safe", ["ab", "ba", "cd"], "", ["ab", "ba"]],
  ])("%s", (_, moves, free, safe) => {
    const isFree = (path: string): boolean => free.includes(path);
    expect(words(safeMoves(moves.map(move), isFree))).toEqual(safe);
  });

  test("are sent in batches that keep chains and circles whole", () => {
    const pairs = Array.from({ length: 700 }, (_, at) => [
      { from: `${at}a`, to: `${at}b` },
      { from: `${at}b`, to: `${at}a` },
    ]).flat();
    const batches = moveBatches(pairs);
    expect(batches.map(({ length }) => length)).toEqual([500, 500, 400]);
    for (const batch of batches) {
      const left = new Set(batch.map(({ from }) => from));
      expect(batch.every(({ to }) => left.has(to))).toBe(true);
    }
  });

  test("go with what leaves the name they take, wherever in the list that is", () => {
    expect(moveBatches(["bc", "ab", "xy"].map(move)).map(words)).toEqual([["ab", "bc", "xy"]]);
    expect(moveBatches([])).toEqual([]);
  });
});
