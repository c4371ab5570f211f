/**
 * A child that crashes is restarted soon, one that crashes repeatedly after longer and longer delays; a long run resets
 * them.
 */

export const RESTART = {
  firstDelayMs: 500,
  longestDelayMs: 30_000,
  /** A child that ran this long is not in a crash loop. */
  goodRunMs: 30_000,
} as const;

/** The number of crashes in a row for the next delay, given how long the last run was. */
export function crashesInARow(before: number, ranForMs: number): number {
  return ranForMs >= RESTART.goodRunMs ? 1 : before + 1;
}

/** The wait in milliseconds before the start that follows the `crashes`th crash in a row. */
export function restartDelayMs(crashes: number): number {
  return Math.min(RESTART.firstDelayMs * 2 ** Math.max(0, crashes - 1), RESTART.longestDelayMs);
}
