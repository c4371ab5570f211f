import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Growth, isExact, MOST_SIZES, type Moment } from "./growth.ts";

const DAY_0 = 1_000_000_000_000;
const at = (ms: number): Moment => ({ monotonicMs: ms, wallMs: DAY_0 + ms });
const ns = (ms: number): string => `${DAY_0 + ms}000000`;
const iso = (ms: number): string => new Date(DAY_0 + ms).toISOString();

interface Write {
  afterMs: number;
  bytes: number;
}

/** Knows every write. */
class Oracle {
  readonly #writes: { atMs: number; size: number }[] = [];

  write(size: number, atMs: number): void {
    this.#writes.push({ atMs, size });
  }

  sizeAt(ms: number): number {
    return this.#writes.findLast(({ atMs }) => atMs <= ms)?.size ?? 0;
  }

  lastWriteAt(ms: number): number | undefined {
    return this.#writes.findLast(({ atMs }) => atMs <= ms)?.atMs;
  }

  /** When the file first was longer than so many bytes. */
  firstPast(bytes: number, untilMs: number): number | undefined {
    return this.#writes.find(({ size, atMs }) => size > bytes && atMs <= untilMs)?.atMs;
  }
}

const writes = fc.array(
  fc.record({ afterMs: fc.integer({ min: 0, max: 20_000 }), bytes: fc.integer({ min: 1, max: 1_000 }) }),
  { minLength: 1, maxLength: 300 },
);

function oracleOf(all: readonly Write[]): { oracle: Oracle; endMs: number; size: number } {
  const oracle = new Oracle();
  let [ms, size] = [0, 0];
  for (const { afterMs, bytes } of all) {
    ms += afterMs;
    size += bytes;
    oracle.write(size, ms);
  }
  return { oracle, endMs: ms, size };
}

function look(growth: Growth, oracle: Oracle, ms: number, sent = 0): void {
  const written = oracle.lastWriteAt(ms);
  if (written === undefined) return growth.see({ size: 0 }, at(ms));
  growth.see({ size: oracle.sizeAt(ms), ctimeNs: ns(written) }, at(ms), sent);
}

describe("the age of a byte", () => {
  it("is never more than it is, and less by what it says at most, whatever was sent when it is asked", () => {
    fc.assert(
      fc.property(
        writes,
        fc.integer({ min: 50, max: 12_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (all, lookEveryMs, share) => {
          const { oracle, endMs, size } = oracleOf(all);
          const growth = new Growth();
          const sent = Math.floor(share * size);
          for (let ms = 0; ms <= endMs + lookEveryMs; ms += lookEveryMs) look(growth, oracle, ms);
          const said = growth.firstPast(sent);
          const truly = oracle.firstPast(sent, endMs);
          expect(said === undefined).toBe(sent >= size);
          if (said === undefined) return;
          expect(said.atMs).toBeGreaterThanOrEqual(truly ?? NaN);
          expect(said.atMs - said.earlierMs).toBeLessThanOrEqual(truly ?? NaN);
        },
      ),
    );
  });

  it("errs by a small share of the time it spans, however long that is and however often the file grows", () => {
    const growth = new Growth();
    const oracle = new Oracle();
    const DAY_S = 86_400;
    for (let s = 1; s <= DAY_S; s += 1) {
      oracle.write(s * 1_000, s * 1_000);
      look(growth, oracle, s * 1_000);
    }
    for (let sent = 0; sent < DAY_S * 1_000; sent += 999_999) {
      const said = growth.firstPast(sent)?.atMs ?? NaN;
      const truly = oracle.firstPast(sent, DAY_S * 1_000) ?? NaN;
      expect(said - truly).toBeGreaterThanOrEqual(0);
      expect(said - truly).toBeLessThanOrEqual((DAY_S * 1_000 * 3) / MOST_SIZES);
    }
  });

  it("what is sent frees its place: a backlog of a minute is told to the second after a week of growth", () => {
    const growth = new Growth();
    const oracle = new Oracle();
    const WEEK_S = 604_800;
    for (let s = 1; s <= WEEK_S; s += 10) {
      oracle.write(s, s * 1_000);
      look(growth, oracle, s * 1_000, s - 60);
    }
    const said = growth.firstPast(WEEK_S - 50)?.atMs ?? NaN;
    expect(said).toBe(oracle.firstPast(WEEK_S - 50, WEEK_S * 1_000));
  });

  it("grows while the file is quiet, and is that of the next byte once the oldest is sent", () => {
    const growth = new Growth();
    growth.see({ size: 10 }, at(1_000));
    growth.see({ size: 20 }, at(5_000));
    growth.see({ size: 20 }, at(900_000));
    expect(growth.firstPast(0)?.atMs).toBe(1_000);
    expect(growth.firstPast(10)?.atMs).toBe(5_000);
    expect(growth.firstPast(20)).toBeUndefined();
  });

  it("begins at byte 0 again when S3 has lost the upload", () => {
    const growth = new Growth();
    for (let n = 1; n <= 500; n += 1) growth.see({ size: n * 10 }, at(n * 1_000), n * 10 - 5);
    expect(growth.firstPast(0)?.atMs).toBe(1_000);
  });

  it("a file that was cut keeps the age of what is left; what is written anew is new", () => {
    const growth = new Growth();
    growth.see({ size: 100 }, at(1_000));
    growth.see({ size: 200 }, at(2_000));
    growth.see({ size: 150 }, at(3_000));
    growth.see({ size: 300 }, at(4_000));
    expect(growth.firstPast(99)?.atMs).toBe(1_000);
    expect(growth.firstPast(149)?.atMs).toBe(2_000);
    expect(growth.firstPast(150)?.atMs).toBe(4_000);
  });
});

describe("what is known of the time before", () => {
  const record = { file_size: 100, bytes_sent: 0, started_at_utc: iso(0) };

  it.each([
    [
      "was found when the stream began, and its file has no birth time",
      { file_ctime_ns: ns(-50_000) },
      -50_000,
      false,
    ],
    [
      "was found in a file as young as its last change",
      { file_ctime_ns: ns(-50_000), file_birthtime_ns: ns(-51_000) },
      -50_000,
      true,
    ],
    [
      "was found in a file that is much older",
      { file_ctime_ns: ns(-50_000), file_birthtime_ns: ns(-900_000) },
      -50_000,
      false,
    ],
    ["bears a time of tomorrow", { file_ctime_ns: ns(86_400_000) }, 0, false],
    [
      "was seen to come, before a restart",
      { unprotected_since_utc: iso(-40_000), started_at_utc: iso(-90_000) },
      -40_000,
      true,
    ],
    [
      "was found by the process before",
      { unprotected_since_utc: iso(-90_000), started_at_utc: iso(-60_000) },
      -90_000,
      false,
    ],
  ])("a byte that %s", (_, known, atMs, exact) => {
    const first = Growth.from({ ...record, ...known }, at(0)).firstPast(0);
    expect(first?.atMs).toBe(atMs);
    expect(first && isExact(first, 0)).toBe(exact);
  });

  it("of bytes that came while nobody looked, the age is a lower bound, and says so", () => {
    const known = { unprotected_since_utc: iso(-600_000), started_at_utc: iso(-900_000), bytes_sent: 50 };
    const growth = Growth.from({ ...record, ...known, file_ctime_ns: ns(-590_000) }, at(0));
    growth.see({ size: 900, ctimeNs: ns(-1_000) }, at(5));
    expect(growth.firstPast(50)).toEqual({ atMs: -600_000, earlierMs: 0 });
    expect(growth.firstPast(60)).toEqual({ atMs: -590_000, earlierMs: 10_000 });
    const unseen = growth.firstPast(100);
    expect(unseen).toEqual({ atMs: -1_000, earlierMs: 589_000 });
    expect(unseen && isExact(unseen, 0)).toBe(false);
  });

  it.each([-1, 0, 1, 9])(
    "a stamp %i ms beside what was known before is of that moment, not of this look",
    (apart) => {
      const known = { unprotected_since_utc: iso(-15_000), started_at_utc: iso(-60_000), bytes_sent: 50 };
      const growth = Growth.from({ ...record, ...known, file_ctime_ns: ns(-15_000 + apart) }, at(0));
      expect(growth.firstPast(60)?.atMs).toBe(-15_000 + Math.max(0, apart));
    },
  );
});
