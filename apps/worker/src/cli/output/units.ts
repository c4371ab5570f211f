/** Sizes, spans and times as the tables show them. JSON carries bytes and ISO times instead. */
const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"] as const;
/** From here on one decimal would round up to "1024.0". */
const NEXT_UNIT = 1023.95;

/** 1536 → "1.5 KiB". */
export function size(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= (unit === 0 ? 1024 : NEXT_UNIT) && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit]}`;
}

const SPANS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1_000],
] as const;

/** In one unit, rounded down: "4 s", "3 min", "2 d"; below a second in ms. */
export function span(ms: number): string {
  const [unit, factor] = SPANS.find(([, most]) => ms >= most) ?? ["ms", 1];
  return `${Math.floor(ms / factor)} ${unit}`;
}

/** "4 s ago", "in 2 min"; a dash where there is no time. */
export function relative(iso: string | number | undefined, nowMs: number): string {
  const at = typeof iso === "string" ? Date.parse(iso) : iso;
  if (at === undefined || Number.isNaN(at)) return "-";
  const ms = Math.abs(nowMs - at);
  if (ms < 1_000) return "now";
  return at <= nowMs ? `${span(ms)} ago` : `in ${span(ms)}`;
}

/** "1 stream", "3 streams". */
export function count(number: number, one: string, many = `${one}s`): string {
  return `${number.toLocaleString("en-GB")} ${number === 1 ? one : many}`;
}
