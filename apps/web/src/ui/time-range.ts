/** Ranges of time as people name them. Days begin at midnight of the zone that times are shown in. */

export const TIMES = ["hour", "today", "yesterday", "week"] as const;
export type TimeRange = (typeof TIMES)[number];

export const TIME_WORDS: Readonly<Record<TimeRange, string>> = {
  hour: "the last hour",
  today: "today",
  yesterday: "yesterday",
  week: "the last 7 days",
};

/** From `from` to before `until`, ms since 1970. */
export interface Span {
  from?: number;
  until?: number;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

export function timesOf(when: TimeRange | null, now: number, utc: boolean): Span {
  switch (when) {
    case null:
      return {};
    case "hour":
      // Whole minutes, so that the question stays the same for a while.
      return { from: Math.floor(now / MINUTE_MS) * MINUTE_MS - HOUR_MS };
    case "today":
      return { from: midnight(now, utc) };
    case "yesterday":
      return { from: midnight(midnight(now, utc) - 1, utc), until: midnight(now, utc) };
    case "week":
      return { from: midnight(midnight(now, utc) - 6 * DAY_MS, utc) };
  }
}

/** From the first to the last of these days (YYYY-MM-DD), both included; a text that is no day does not limit. */
export function timesOfDays(first: string, last: string, utc: boolean): Span {
  const from = midnightOf(first, 0, utc);
  const until = midnightOf(last, 1, utc);
  return { ...(from === undefined ? {} : { from }), ...(until === undefined ? {} : { until }) };
}

function midnight(at: number, utc: boolean): number {
  return utc ? Math.floor(at / DAY_MS) * DAY_MS : new Date(at).setHours(0, 0, 0, 0);
}

function midnightOf(day: string, daysLater: number, utc: boolean): number | undefined {
  const [, year, month, date] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(day) ?? [];
  if (year === undefined) return undefined;
  const parts = [Number(year), Number(month) - 1, Number(date) + daysLater] as const;
  const at = utc ? Date.UTC(...parts) : new Date(...parts).getTime();
  return Number.isNaN(at) || at < 0 ? undefined : at;
}
