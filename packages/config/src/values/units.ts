/**
 * Sizes and durations as users write them: `8MiB`, `1.5h`, `1h30m`. Formatted values can be parsed again without a
 * change.
 */

const BYTES = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KIB: 2 ** 10,
  MIB: 2 ** 20,
  GIB: 2 ** 30,
  TIB: 2 ** 40,
};

const MILLISECONDS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

export const SIZE_PATTERN = /^\s*(\d+(?:\.\d+)?)\s*(B|[KMGT]i?B)\s*$/i;
export const DURATION_PATTERN = /^(?:0|(?:\d+(?:\.\d+)?(?:ms|[smhd]))+)$/;

/** In bytes; undefined if the text is not a size, or not a whole number of bytes. */
export function parseSize(text: string): number | undefined {
  const [, number, unit = ""] = SIZE_PATTERN.exec(text) ?? [];
  if (number === undefined) return undefined;
  const bytes = Number(number) * BYTES[unit.toUpperCase() as keyof typeof BYTES];
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** In milliseconds; undefined if the text is not a duration. A bare number without a unit is not one, except 0. */
export function parseDuration(text: string): number | undefined {
  if (!DURATION_PATTERN.test(text)) return undefined;
  let ms = 0;
  for (const [, number, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|[smhd])/g)) {
    ms += Number(number) * MILLISECONDS[unit as keyof typeof MILLISECONDS];
  }
  return Number.isSafeInteger(ms) ? ms : undefined;
}

/** In the largest unit that gives a whole number. */
export function formatSize(bytes: number): string {
  const units = [
    ["TiB", BYTES.TIB],
    ["GiB", BYTES.GIB],
    ["MiB", BYTES.MIB],
    ["KiB", BYTES.KIB],
  ] as const;
  const [unit, factor] = units.find(([, size]) => bytes >= size && bytes % size === 0) ?? ["B", 1];
  return `${bytes / factor}${unit}`;
}

/** As settings spell a duration; `ms` in milliseconds. */
export function formatDuration(ms: number): string {
  if (ms === 0) return "0s";
  const units = [
    ["d", MILLISECONDS.d],
    ["h", MILLISECONDS.h],
    ["m", MILLISECONDS.m],
    ["s", MILLISECONDS.s],
  ] as const;
  const [unit, factor] = units.find(([, size]) => ms >= size && ms % size === 0) ?? ["ms", 1];
  return `${ms / factor}${unit}`;
}
