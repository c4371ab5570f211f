/** Sizes read the same everywhere: IEC units, one decimal below 100, exact bytes to be had beside them. */
const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"] as const;

const whole = new Intl.NumberFormat("en-GB");

/** 1536 → "1.5 KiB". Negative and non-finite values show as a dash. */
export function formatBytes(bytes: number): string {
  if (!Number.isFinite(bytes) || bytes < 0) return "–";
  let unit = 0;
  let value = bytes;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  // 1023.96 KiB would read "1024.0 KiB": it is the next unit's 1.0.
  if (unit > 0 && unit < UNITS.length - 1 && value >= 1023.95) {
    value = 1;
    unit += 1;
  }
  const text = unit === 0 ? String(value) : value.toFixed(value >= 100 ? 0 : 1);
  return `${text} ${UNITS[unit]}`;
}

/** "1,536 bytes": the exact number, for a title or a screen reader. */
export function exactBytes(bytes: number): string {
  return `${whole.format(bytes)} ${bytes === 1 ? "byte" : "bytes"}`;
}

/** Bytes a second; a dash where nothing sure can be said. */
export function formatRate(bytesPerSecond: number | undefined): string {
  return bytesPerSecond === undefined || !Number.isFinite(bytesPerSecond)
    ? "–"
    : `${formatBytes(bytesPerSecond)}/s`;
}

export function formatCount(count: number): string {
  return whole.format(count);
}

/** "1 file", "3 files". */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${whole.format(count)} ${count === 1 ? one : many}`;
}
