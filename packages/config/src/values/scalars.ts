/** Types with one value: text, choices, numbers, sizes, durations, switches. */
import { z } from "zod";
import {
  DURATION_PATTERN,
  SIZE_PATTERN,
  formatDuration,
  formatSize,
  parseDuration,
  parseSize,
} from "./units.ts";
import { valueType, type ValueType } from "./value-type.ts";

/** `allowed` describes what `accepts` checks. */
export function text(
  allowed = "any text",
  accepts: (value: string) => boolean = (value) => value !== "",
): ValueType<string> {
  return valueType({
    input: z.string({ error: allowed }),
    allowed,
    read: (value) => (accepts(value) ? value : undefined),
    format: (value) => value,
  });
}

export function oneOf<const T extends string>(values: readonly T[]): ValueType<T> {
  const allowed =
    values.length === 1 ? `only ${values[0]}` : `${values.slice(0, -1).join(", ")} or ${values.at(-1)}`;
  const schema = z.enum(values, { error: allowed });
  return { schema, allowed, format: (value) => value };
}

/** YAML has its own true and false; elsewhere the usual words are accepted. */
export function onOff(): ValueType<boolean> {
  const allowed = "true or false";
  const words = /^(?:true|on|yes|1|false|off|no|0)$/i;
  return valueType({
    input: z.union([z.boolean(), z.string().regex(words, { error: allowed })], { error: allowed }),
    allowed,
    read: (value) => (typeof value === "boolean" ? value : /^(?:true|on|yes|1)$/i.test(value)),
    format: String,
  });
}

export function wholeNumber(from: number, to: number): ValueType<number> {
  const allowed = `a whole number from ${from} to ${to}`;
  return valueType({
    input: z.union([z.int(), z.string().regex(/^\d+$/, { error: allowed })], { error: allowed }),
    allowed,
    read: (value) => within(Number(value), from, to),
    format: String,
  });
}

/** Bytes. */
export function size(limits: { from: number; to: number }): ValueType<number> {
  const allowed = `a size from ${formatSize(limits.from)} to ${formatSize(limits.to)}, such as 8MiB`;
  return valueType({
    input: z.union([z.int().nonnegative(), z.string().regex(SIZE_PATTERN, { error: allowed })], {
      error: allowed,
    }),
    allowed,
    read: (value) => within(typeof value === "number" ? value : parseSize(value), limits.from, limits.to),
    format: formatSize,
  });
}

/** In milliseconds. A bare number has no unit and is refused, except 0. */
export function duration(limits: { from: number; to: number; zero?: string }): ValueType<number> {
  const zero = limits.zero === undefined ? "" : `, or 0 (${limits.zero})`;
  const allowed = `a duration from ${formatDuration(limits.from)} to ${formatDuration(limits.to)}, such as 30s, 10m or 7d${zero}`;
  const from = limits.zero === undefined ? limits.from : 0;
  return valueType({
    input: z.union([z.literal(0), z.string().regex(DURATION_PATTERN, { error: allowed })], {
      error: allowed,
    }),
    allowed,
    read: (value) => {
      const ms = within(typeof value === "number" ? value : parseDuration(value), from, limits.to);
      return ms === 0 || ms === undefined ? ms : within(ms, limits.from, limits.to);
    },
    format: formatDuration,
  });
}

/** As `duration`, with a word for none at all: 0. */
export function durationOrOff(limits: { from: number; to: number }): ValueType<number> {
  const some = duration(limits);
  const allowed = `off, or ${some.allowed}`;
  return valueType({
    input: z.union([z.literal(false), z.string()], { error: allowed }),
    allowed,
    read: (value) => {
      if (value === false || /^(?:off|0)$/i.test(value)) return 0;
      const read = some.schema.safeParse(value);
      return read.success && read.data > 0 ? read.data : undefined;
    },
    format: (ms) => (ms === 0 ? "off" : formatDuration(ms)),
  });
}

/** An amount of money. */
export function price(): ValueType<{ amount: number; currency: string }> {
  const allowed = "an amount and a currency, such as 0.023 USD";
  return valueType({
    input: z.string({ error: allowed }),
    allowed,
    read: (value) => {
      const [, amount, currency] = /^\s*(\d{1,6}(?:\.\d{1,6})?)\s+([A-Z]{3})\s*$/.exec(value) ?? [];
      return currency === undefined ? undefined : { amount: Number(amount), currency };
    },
    format: ({ amount, currency }) => `${amount} ${currency}`,
  });
}

/** So many times in a second. */
export function perSecond(limits: { from: number; to: number }): ValueType<number> {
  const allowed = `a number of times a second from ${limits.from}/s to ${limits.to}/s, such as 5/s`;
  return valueType({
    input: z.string({ error: allowed }),
    allowed,
    read: (value) => {
      const [, number] = /^\s*(\d+(?:\.\d+)?)\s*\/\s*s\s*$/.exec(value) ?? [];
      return number === undefined ? undefined : within(Number(number), limits.from, limits.to);
    },
    format: (times) => `${times}/s`,
  });
}

/** So many times what something else comes to, as `4x`, or bytes in a second. */
export function timesOrRate(limits: {
  times: { from: number; to: number };
  rate: { from: number; to: number };
}): ValueType<{ kind: "times"; times: number } | { kind: "rate"; bytesPerSecond: number }> {
  const bytes = rate(limits.rate);
  const { from, to } = limits.times;
  const allowed = `a multiple from ${from}x to ${to}x, such as 4x, or ${bytes.allowed}`;
  return valueType({
    input: z.string({ error: allowed }),
    allowed,
    read: (value) => {
      const [, number] = /^\s*(\d+(?:\.\d+)?)\s*x\s*$/i.exec(value) ?? [];
      if (number !== undefined) {
        const times = within(Number(number), from, to);
        return times === undefined ? undefined : { kind: "times" as const, times };
      }
      const read = bytes.schema.safeParse(value);
      return read.success ? { kind: "rate" as const, bytesPerSecond: read.data } : undefined;
    },
    format: (value) => (value.kind === "times" ? `${value.times}x` : bytes.format(value.bytesPerSecond)),
  });
}

export interface SpaceWarning {
  /** Of the space that users have, from 1 to 99. */
  percent?: number;
  bytes?: number;
  /** Until the space is used up. */
  ms?: number;
}

/** Limits of free space, `10%,6h`: a share or a size, a time until none is left, or both. */
export function freeSpace(limits: { ms: { from: number; to: number } }): ValueType<SpaceWarning> {
  const span = duration(limits.ms);
  const bytes = size({ from: 1, to: Number.MAX_SAFE_INTEGER });
  const allowed = `off, or a share from 1% to 99% or a size such as 50GiB, ${span.allowed}, or both, such as 10%,6h`;
  const readOne = (text: string): SpaceWarning | undefined => {
    const [, percent] = /^(\d+(?:\.\d+)?)%$/.exec(text) ?? [];
    if (percent !== undefined) {
      const share = within(Number(percent), 1, 99);
      return share === undefined ? undefined : { percent: share };
    }
    const time = span.schema.safeParse(text);
    if (time.success && time.data > 0) return { ms: time.data };
    const least = bytes.schema.safeParse(text);
    return least.success ? { bytes: least.data } : undefined;
  };
  return valueType({
    input: z.union([z.literal(false), z.string()], { error: allowed }),
    allowed,
    read: (value) => {
      if (value === false || /^\s*off\s*$/i.test(value)) return {};
      const found = value.split(",").map((text) => readOne(text.trim()));
      if (found.some((one) => one === undefined)) return undefined;
      const all: SpaceWarning = Object.assign({}, ...found);
      // Each once, and one answer to how much: a share or a size.
      const isOnce = Object.keys(all).length === found.length;
      const isTwofold = all.percent !== undefined && all.bytes !== undefined;
      return isOnce && !isTwofold ? all : undefined;
    },
    format: ({ percent, bytes: least, ms }) =>
      [
        ...(percent === undefined ? [] : [`${percent}%`]),
        ...(least === undefined ? [] : [formatSize(least)]),
        ...(ms === undefined ? [] : [formatDuration(ms)]),
      ].join(",") || "off",
  });
}

/** Bytes per second. */
export function rate(limits: { from: number; to: number }): ValueType<number> {
  const allowed = `a rate from ${formatSize(limits.from)}/s to ${formatSize(limits.to)}/s, such as 50MiB/s`;
  return valueType({
    input: z.string({ error: allowed }),
    allowed,
    read: (value) => within(parseSize(value.replace(/\/s\s*$/, "")), limits.from, limits.to),
    format: (value) => `${formatSize(value)}/s`,
  });
}

function within(value: number | undefined, from: number, to: number): number | undefined {
  return value !== undefined && value >= from && value <= to ? value : undefined;
}
