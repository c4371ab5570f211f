/**
 * Formats sizes the same everywhere: in a timeline, on a page, on the command line. IEC units, one decimal below 100.
 */
const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"] as const;

/** 1536 → "1.5 KiB". Negative and non-finite values show as a dash. */
export function formatBytes(bytes: number): string {
  if (!Number.isFinite(bytes) || bytes < 0) return "–";
  let unit = 0;
  let value = bytes;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  // 1023.96 KiB would be shown as "1024.0 KiB", so it becomes 1.0 of the next unit.
  if (unit > 0 && unit < UNITS.length - 1 && value >= 1023.95) {
    value = 1;
    unit += 1;
  }
  const text = unit === 0 ? String(value) : value.toFixed(value >= 100 ? 0 : 1);
  return `${text} ${UNITS[unit]}`;
}
