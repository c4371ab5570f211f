"use client";
/** A time in the user's preferred format; the exact time is always in the title and in the markup. */
import {
  formatAbsolute,
  formatClock,
  formatDuration,
  formatRelative,
  parseTime,
} from "@sluice/control/units";
import { useNow } from "./clock.ts";
import { usePreferences } from "./preferences-context.tsx";

/** `at`: ISO text or ms since 1970. */
export function Time({ at, className = "" }: { at: string | number | undefined; className?: string }) {
  const { timeMode } = usePreferences();
  const now = useNow();
  const ms = typeof at === "number" ? at : parseTime(at);
  // A number from Redis may be too large for a date.
  if (ms === undefined || Number.isNaN(new Date(ms).getTime())) return <span className={className}>–</span>;
  const text = timeMode === "relative" ? formatRelative(ms, now) : formatClock(ms, now, timeMode === "utc");
  const title = `${formatAbsolute(ms, false)} local, ${formatAbsolute(ms, true)}`;
  // The server knows neither the user's time zone nor the time of reading: the browser's text takes precedence.
  return (
    <time
      dateTime={new Date(ms).toISOString()}
      title={title}
      className={`num ${className}`}
      suppressHydrationWarning
    >
      {mayBreakAfterDate(text)}
    </time>
  );
}

/** In a narrow column the date is above the time; the rest never breaks. */
function mayBreakAfterDate(text: string): string {
  const date = /^\d{4}-\d\d-\d\d /.exec(text)?.[0] ?? "";
  return date + text.slice(date.length).replaceAll(" ", "\u00a0");
}

/** The page's clock has steps of a second, so milliseconds mean nothing. */
function wholeSeconds(span: number): number {
  return Math.max(1_000, span);
}

/** How long ago, always relative, whatever the time mode: for values whose point is the age. */
export function Age({ since, className = "" }: { since: number | undefined; className?: string }) {
  const now = useNow();
  return (
    <span className={`num whitespace-nowrap ${className}`} suppressHydrationWarning>
      {since === undefined ? "–" : formatDuration(wholeSeconds(now - since))}
    </span>
  );
}
