import { describe, expect, test } from "vitest";
import fc from "fast-check";
import { CELL_STATES, partMap, stateOfPart } from "./part-map.ts";
import { cellAt, layoutCells, partAt } from "./cell-layout.ts";

const MIB = 1024 * 1024;
const plan = { kind: "stepped", partBytes: 8 * MIB } as const;
const part = (PartNumber: number, Size = 8 * MIB, Attempts = 1) => ({ PartNumber, Size, Attempts });

describe("the part map", () => {
  test("names every part once: acknowledged, sent again, on disk, tail", () => {
    const map = partMap({
      plan,
      fileSize: 6.5 * 8 * MIB,
      parts: [part(1), part(2, 8 * MIB, 2), part(4)],
      stored: false,
    });
    expect(map.runs).toEqual([
      { from: 1, to: 1, state: "sent" },
      { from: 2, to: 2, state: "again" },
      { from: 3, to: 3, state: "disk" },
      { from: 4, to: 4, state: "sent" },
      { from: 5, to: 6, state: "disk" },
      { from: 7, to: 7, state: "tail" },
    ]);
    expect(map.tail_share).toBe(0.5);
    expect(map.totals.tail.bytes).toBe(4 * MIB);
    expect(stateOfPart(map, 7)).toBe("tail");
  });

  test("shows an object that went up in one request as one acknowledged cell", () => {
    const map = partMap({ plan, fileSize: 12, parts: [], stored: true });
    expect(map.runs).toEqual([{ from: 1, to: 1, state: "sent" }]);
    expect(map.totals.sent.bytes).toBe(12);
  });

  test("has no cell for an empty file that has not been sent", () => {
    expect(partMap({ plan, fileSize: 0, parts: [], stored: false }).count).toBe(0);
  });

  test("accounts for every byte on disk, whatever is acknowledged", () => {
    fc.assert(
      fc.property(fc.nat(500 * MIB), fc.uniqueArray(fc.integer({ min: 1, max: 50 })), (size, numbers) => {
        const parts = numbers.filter((n) => n * 8 * MIB <= size).map((n) => part(n));
        const map = partMap({ plan, fileSize: size, parts, stored: false });
        const bytes = CELL_STATES.reduce((sum, state) => sum + map.totals[state].bytes, 0);
        const cells = map.runs.reduce((sum, run) => sum + run.to - run.from + 1, 0);
        expect(bytes).toBe(size);
        expect(cells).toBe(map.count);
      }),
    );
  });
});

describe("the layout of cells", () => {
  test("finds under a cell's corner the part that was put there, at any count and width", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000 }),
        fc.integer({ min: 240, max: 1_400 }),
        fc.nat(),
        (count, width, pick) => {
          const layout = layoutCells(count, width);
          const n = (pick % count) + 1;
          const { x, y } = cellAt(layout, n);
          expect(partAt(layout, count, x, y)).toBe(n);
          expect(layout.width).toBeLessThanOrEqual(width);
        },
      ),
    );
  });

  test("keeps 10,000 parts within a screen of a phone, and within a glance where there is room", () => {
    expect(layoutCells(10_000, 270).height).toBeLessThan(650);
    expect(layoutCells(10_000, 1_130).height).toBeLessThan(340);
  });

  test("gives few parts large cells", () => {
    expect(layoutCells(5, 1_130).cell).toBe(28);
    expect(layoutCells(300, 1_130).cell).toBe(28);
    expect(layoutCells(1_000, 1_130).cell).toBe(14);
  });
});
