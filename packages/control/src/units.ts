/**
 * Formats sizes, counts and times the same everywhere: IEC units, one decimal below 100, durations in at most two
 * units.
 */
export { formatBytes } from "@sluice/core/stream/format-bytes";
import { formatBytes } from "@sluice/core/stream/format-bytes";

const whole = new Intl.NumberFormat("en-GB");

/** "1,536 bytes": the exact number, for a title or a screen reader. */
export function exactBytes(bytes: number): string {
  return `${whole.format(bytes)} ${bytes === 1 ? "byte" : "bytes"}`;
}

/** Bytes per second; a dash if the rate is unknown. */
export function formatRate(bytesPerSecond: number | undefined): string {
  return bytesPerSecond === undefined || !Number.isFinite(bytesPerSecond)
    ? "–"
    : `${formatBytes(bytesPerSecond)}/s`;
}

/** With separators between thousands: "12,345". */
export function formatCount(count: number): string {
  return whole.format(count);
}

/** "1 file", "3 files". */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${whole.format(count)} ${count === 1 ? one : many}`;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Time since `sinceMs`, in ms. Never below 0: another clock may be ahead, and S3 reports whole seconds. */
export function ageMs(sinceMs: number, nowMs: number): number {
  return Math.max(0, nowMs - sinceMs);
}

/** A duration in at most two units: "4 s", "3 min 20 s", "2 h 5 min", "3 d 4 h". */
export function formatDuration(ms: number): string {
  if (!Number.isFinite(ms)) return "–";
  const span = Math.max(0, ms);
  if (span < SECOND) return `${Math.round(span)} ms`;
  if (span < MINUTE) return `${Math.floor(span / SECOND)} s`;
  if (span < HOUR) return two(span, MINUTE, "min", SECOND, "s");
  if (span < DAY) return two(span, HOUR, "h", MINUTE, "min");
  return two(span, DAY, "d", HOUR, "h");
}

function two(span: number, big: number, bigName: string, small: number, smallName: string): string {
  const first = Math.floor(span / big);
  const rest = Math.floor((span % big) / small);
  return rest === 0 ? `${first} ${bigName}` : `${first} ${bigName} ${rest} ${smallName}`;
}

/** One unit only: "4 s ago", "in 2 min". */
export function formatRelative(at: number, now: number): string {
  const span = Math.abs(now - at);
  // The clocks of two machines, and a display in whole seconds, differ by at least this much.
  if (span < 2_500) return "now";
  const text =
    span < MINUTE
      ? `${Math.floor(span / SECOND)} s`
      : span < HOUR
        ? `${Math.floor(span / MINUTE)} min`
        : span < DAY
          ? `${Math.floor(span / HOUR)} h`
          : `${Math.floor(span / DAY)} d`;
  return at <= now ? `${text} ago` : `in ${text}`;
}

/** 2026-11-24 02:08:19, in the browser's zone or UTC; ISO order, so that columns sort visually. */
export function formatAbsolute(at: number, utc: boolean): string {
  const shifted = utc ? at : at - new Date(at).getTimezoneOffset() * MINUTE;
  const text = new Date(shifted).toISOString();
  return `${text.slice(0, 10)} ${text.slice(11, 19)}${utc ? " UTC" : ""}`;
}

/** "02:08:19"; with the date in front if that is not the day of `now`, in the same zone. */
export function formatClock(at: number, now: number, utc: boolean): string {
  const text = formatAbsolute(at, utc);
  const isToday = text.slice(0, DATE_CHARS) === formatAbsolute(now, utc).slice(0, DATE_CHARS);
  return isToday ? text.slice(DATE_CHARS + 1) : text;
}

const DATE_CHARS = "2026-11-24".length;

/** Undefined if the text is not a valid time. */
export function parseTime(text: string | undefined | null): number | undefined {
  if (!text) return undefined;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : at;
}
