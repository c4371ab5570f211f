/** The bars of the histogram of parts. Pure. */
import { formatDuration } from "@sluice/control/units";
import type { PartSeconds } from "@sluice/redis-schema/records/worker-report";

export interface Bar {
  label: string;
  parts: number;
  /** Of the longest bar, 0 to 1. */
  share: number;
}

/** From the first bucket with a part to the last one. */
export function barsOf({ buckets }: Pick<PartSeconds, "buckets">): { bars: Bar[]; total: number } {
  const most = Math.max(1, ...buckets.map(({ parts }) => parts));
  const first = buckets.findIndex(({ parts }) => parts > 0);
  const last = buckets.findLastIndex(({ parts }) => parts > 0);
  const bars = buckets.map(({ le, parts }, at) => ({
    label: labelOf(buckets[at - 1]?.le ?? null, le),
    parts,
    share: parts / most,
  }));
  return {
    bars: first < 0 ? [] : bars.slice(first, last + 1),
    total: buckets.reduce((sum, { parts }) => sum + parts, 0),
  };
}

function labelOf(from: number | null, to: number | null): string {
  if (to === null) return `over ${words(from ?? 0)}`;
  return from === null ? `up to ${words(to)}` : `${words(from)} – ${words(to)}`;
}

function words(seconds: number): string {
  return seconds < 1
    ? `${Math.round(seconds * 1_000)} ms`
    : seconds < 60
      ? `${seconds} s`
      : formatDuration(seconds * 1_000);
}
