/** Chance that repeats: the same seed gives the same run, as far as the machine lets it. */

export interface Random {
  /** In [0, 1). */
  next(): number;
  /** A whole number from `from` to `to`, both included. */
  between(from: number, to: number): number;
  chance(share: number): boolean;
  pick<T>(from: readonly T[]): T;
}

/** mulberry32: small, well spread, good enough to choose moments. */
export function random(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const between = (from: number, to: number): number => from + Math.floor(next() * (to - from + 1));
  return {
    next,
    between,
    chance: (share) => next() < share,
    pick: (from) => {
      const one = from[between(0, from.length - 1)];
      if (one === undefined) throw new RangeError("nothing to pick from");
      return one;
    },
  };
}

/** No two runs of different seeds share a round's. */
export function roundSeed(seed: number, round: number): number {
  return seed * 10_000 + round;
}
