import { describe, expect, test } from "vitest";
import fc from "fast-check";
import { CELL_STATES, cellWords, partMap, plannedRange, stateOfPart } from "./part-map.ts";
import { cellAt, layoutCells, partAt } from "./cell-layout.ts";

const MIB = 1024 * 1024;
const plan = { kind: "stepped", partBytes: 8 * MIB } as const;
const part = (PartNumber: number, Size = 8 * MIB, Attempts = 1) => ({ PartNumber, Size, Attempts });

describe("the part map", () => {
  test("names every part once: acknowledged, sent again, in flight, on disk, tail", () => {
    const map = partMap({
      plan,
      fileSize: 6.5 * 8 * MIB,
      parts: [part(1), part(2, 8 * MIB, 2), part(4)],
      inFlight: 2,
      stored: false,
    });
    expect(map.runs).toEqual([
      { from: 1, to: 1, state: "sent" },
      { from: 2, to: 2, state: "again" },
      { from: 3, to: 3, state: "flight" },
      { from: 4, to: 4, state: "sent" },
      { from: 5, to: 5, state: "flight" },
      { from: 6, to: 6, state: "disk" },
      { from: 7, to: 7, state: "tail" },
    ]);
    expect(map.tail_share).toBe(0.5);
    expect(map.totals.tail.bytes).toBe(4 * MIB);
    expect(stateOfPart(map, 7)).toBe("tail");
  });

  test("shows a safeguarded tail as its own state, and what it lacks as on disk only", () => {
    const facts = { plan, inFlight: 0, stored: false, parts: [part(1), part(2, 3 * MIB)] };
    const map = partMap({ ...facts, fileSize: 13 * MIB });
    expect(map.runs).toEqual([
      { from: 1, to: 1, state: "sent" },
      { from: 2, to: 2, state: "guarded" },
    ]);
    expect(map.totals.guarded).toEqual({ parts: 1, bytes: 3 * MIB });
    expect(map.totals.tail.bytes).toBe(2 * MIB);
    expect(map.tail_share).toBe(5 / 8);
    // Outgrown: the whole part is to take its place.
    const grown = partMap({ ...facts, fileSize: 20 * MIB });
    expect(grown.runs.map(({ state }) => state)).toEqual(["sent", "disk", "tail"]);
    expect(grown.totals.disk.bytes + grown.totals.guarded.bytes + grown.totals.tail.bytes).toBe(12 * MIB);
    // Once stored it is the object's last part.
    expect(partMap({ ...facts, stored: true, fileSize: 11 * MIB }).totals.guarded.parts).toBe(0);
  });

  test("shows an object that went up in one request as one acknowledged cell", () => {
    const map = partMap({ plan, fileSize: 12, parts: [], inFlight: 0, stored: true });
    expect(map.runs).toEqual([{ from: 1, to: 1, state: "sent" }]);
    expect(map.totals.sent.bytes).toBe(12);
  });

  test("has no cell for an empty file that has not been sent", () => {
    expect(partMap({ plan, fileSize: 0, parts: [], inFlight: 0, stored: false }).count).toBe(0);
  });

  test("accounts for every byte on disk, whatever is acknowledged", () => {
    fc.assert(
      fc.property(
        fc.nat(500 * MIB),
        fc.uniqueArray(fc.integer({ min: 1, max: 50 })),
        fc.nat(6),
        (size, numbers, inFlight) => {
          const parts = numbers.filter((n) => n * 8 * MIB <= size).map((n) => part(n));
          const map = partMap({ plan, fileSize: size, parts, inFlight, stored: false });
          const bytes = CELL_STATES.reduce((sum, state) => sum + map.totals[state].bytes, 0);
          const cells = map.runs.reduce((sum, run) => sum + run.to - run.from + 1, 0);
          expect(bytes).toBe(size);
          expect(cells).toBe(map.count);
        },
      ),
    );
  });
});

test("calls on disk only what is there: what went with its file is lost, and what nobody sees is not seen", () => {
  const row = { kind: "failed" as const, file_size: 13 * MIB, bytes_sent: 8 * MIB, s3_upload_id: "u" };
  const words = (over: object) => {
    const { sent, disk, tail } = cellWords({ ...row, ...over });
    return [sent, disk, tail];
  };
  const sent = "acknowledged";
  expect(words({ kind: "processing" })).toEqual([sent, "on disk only", "tail, on local disk only"]);
  expect(words({ source_state: "present" })).toEqual([sent, "on disk only", "tail, on local disk only"]);
  for (const source_state of ["missing", "replaced"])
    expect(words({ source_state })).toEqual([sent, "lost with the file", "tail, lost with the file"]);
  expect(words({ source_state: "unknown" })).toEqual([
    sent,
    "not in S3, file not seen",
    "tail, not in S3, file not seen",
  ]);
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

test("the range of a part ends with the file: of a small one, and of a tail", () => {
  const plan = { kind: "uniform", partBytes: 5_242_880 } as const;
  expect(plannedRange(plan, 1, 1_000)).toEqual({ offset: 0, size: 1_000 });
  expect(plannedRange(plan, 1, 6_000_000)).toEqual({ offset: 0, size: 5_242_880 });
  expect(plannedRange(plan, 2, 6_000_000)).toEqual({ offset: 5_242_880, size: 757_120 });
  expect(plannedRange(plan, 3, 6_000_000)?.size).toBe(0);
  expect(plannedRange(undefined, 1, 1_000)).toBeUndefined();
});
