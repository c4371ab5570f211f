/** A child that crashes comes back soon, one that keeps crashing ever more slowly, and a good run forgives. */

export const RESTART = {
  firstDelayMs: 500,
  longestDelayMs: 30_000,
  /** A child that ran this long is not in a crash loop. */
  goodRunMs: 30_000,
} as const;

/** How many crashes in a row the next delay has to count, given how long the last run was. */
export function crashesInARow(before: number, ranForMs: number): number {
  return ranForMs >= RESTART.goodRunMs ? 1 : before + 1;
}

/** The wait in milliseconds before the start that follows the `crashes`th crash in a row. */
export function restartDelayMs(crashes: number): number {
  return Math.min(RESTART.firstDelayMs * 2 ** Math.max(0, crashes - 1), RESTART.longestDelayMs);
}
