/** When a disk will be full at its present rate, and whether that is worth a warning. Pure. */
import type { SpaceWarning } from "@sluice/config";
import type { DiskSpace } from "../files/disk-space.ts";

/** Free bytes at a time of the monotonic clock. */
export interface SpaceSample {
  atMs: number;
  freeBytes: number;
}

/** The rate is that of this long: files that come and go within it do not count. */
export const RATE_WINDOW_MS = 30 * 60_000;
/** From fewer samples nothing is forecast: one file that was copied would look like a rate. */
const LEAST_SPAN_MS = 2 * 60_000;
/** Below this, bytes a second, the disk does not fill: logs and journals of the system come and go. */
const LEAST_RATE = 1_024;
/** How many times the scatter of the samples a loss must be. */
const CLEARLY = 2;
/** A forecast of half an hour's samples says nothing beyond this. */
const FURTHEST_MS = 30 * 86_400_000;
/** A warning ends when there is a tenth more than its limit, so that it does not come and go. */
const SLACK = 1.1;

/**
 * Time until nothing is free, at the rate at which the samples, oldest first, lose space. Undefined: not known yet, or
 * the disk does not fill. The loss must be clearly more than the ups and downs of files that come and go. And the newer
 * half must lose space too: otherwise what filled the disk has ended, or files were deleted since.
 */
export function fullInMs(samples: readonly SpaceSample[]): number | undefined {
  const [first, last] = [samples[0], samples.at(-1)];
  if (!first || !last || last.atMs - first.atMs < LEAST_SPAN_MS) return undefined;
  const { lossPerMs, scatter } = fit(samples);
  if (lossPerMs * 1_000 < LEAST_RATE) return undefined;
  if (lossPerMs * (last.atMs - first.atMs) < CLEARLY * scatter) return undefined;
  const middleMs = (first.atMs + last.atMs) / 2;
  if (fit(samples.filter(({ atMs }) => atMs >= middleMs)).lossPerMs <= 0) return undefined;
  const ms = Math.round(last.freeBytes / lossPerMs);
  return ms > FURTHEST_MS ? undefined : ms;
}

/** The line that fits best, so that one sample more or less changes little, and how far the samples are from it. */
function fit(samples: readonly SpaceSample[]): { lossPerMs: number; scatter: number } {
  const meanAt = mean(samples.map(({ atMs }) => atMs));
  const meanFree = mean(samples.map(({ freeBytes }) => freeBytes));
  let [both, own] = [0, 0];
  for (const { atMs, freeBytes } of samples) {
    both += (atMs - meanAt) * (freeBytes - meanFree);
    own += (atMs - meanAt) ** 2;
  }
  const slope = own === 0 ? 0 : both / own;
  const squares = samples.map(({ atMs, freeBytes }) => (freeBytes - meanFree - slope * (atMs - meanAt)) ** 2);
  return { lossPerMs: -slope, scatter: Math.sqrt(mean(squares)) };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Whether SLUICE_FREE_SPACE_WARNING asks for a warning. `was`: one was given, and is not over. */
export function isFilling(
  { freeBytes, totalBytes }: Pick<DiskSpace, "freeBytes" | "totalBytes">,
  fullMs: number | undefined,
  { percent, bytes, ms }: SpaceWarning,
  was: boolean,
): boolean {
  const slack = was ? SLACK : 1;
  const least = percent === undefined ? (bytes ?? 0) : (totalBytes * percent) / 100;
  const isShort = freeBytes < least * slack;
  return isShort || (ms !== undefined && fullMs !== undefined && fullMs < ms * slack);
}
