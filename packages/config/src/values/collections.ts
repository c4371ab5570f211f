/** Types with several values: lists and name=value pairs, as one text with commas or as YAML lists and maps. */
import { z } from "zod";
import { valueType, type ValueType } from "./value-type.ts";

/** `allowed` describes what `accepts` checks of each entry. */
export function list(allowed: string, accepts: (entry: string) => boolean = () => true): ValueType<string[]> {
  return valueType({
    input: z.union([z.string(), z.array(z.string())], { error: allowed }),
    allowed,
    read: (value) => {
      const entries = typeof value === "string" ? splitList(value) : value;
      return entries.every((entry) => entry !== "" && accepts(entry)) ? entries : undefined;
    },
    format: (entries) => entries.join(","),
  });
}

/** Any of these, each at most once. */
export function someOf<const T extends string>(values: readonly T[]): ValueType<T[]> {
  const allowed = `any of ${values.join(", ")}, separated by commas`;
  const { schema } = list(allowed, (entry) => values.some((value) => value === entry));
  return valueType({
    input: schema,
    allowed,
    read: (entries) => {
      const chosen = values.filter((value) => entries.includes(value));
      return chosen.length === entries.length ? chosen : undefined;
    },
    format: (entries) => entries.join(","),
  });
}

/** `accepts` checks the whole value. */
export function pairs(
  allowed: string,
  accepts: (pairs: Readonly<Record<string, string>>) => boolean,
): ValueType<Record<string, string>> {
  const scalar = z.union([z.string(), z.number(), z.boolean()]);
  return valueType({
    input: z.union([z.string(), z.record(z.string(), scalar)], { error: allowed }),
    allowed,
    read: (value) => {
      const entries =
        typeof value === "string" ? splitList(value).map(splitPair) : Object.entries(value).map(textPair);
      if (entries.some((entry) => entry === undefined)) return undefined;
      const result = Object.fromEntries(entries.filter((entry) => entry !== undefined));
      return Object.keys(result).length === entries.length && accepts(result) ? result : undefined;
    },
    format: (value) =>
      Object.entries(value)
        .map(([name, content]) => `${name}=${content}`)
        .join(","),
  });
}

/** Splits at commas outside braces, so that `*.{mp4,mkv}` stays whole. */
export function splitList(text: string): string[] {
  const entries: string[] = [];
  let depth = 0;
  let entry = "";
  for (const character of text) {
    if (character === "{") depth += 1;
    if (character === "}") depth = Math.max(0, depth - 1);
    if (character === "," && depth === 0) {
      entries.push(entry.trim());
      entry = "";
    } else entry += character;
  }
  entries.push(entry.trim());
  return entries.filter((one) => one !== "");
}

function splitPair(entry: string): [string, string] | undefined {
  const at = entry.indexOf("=");
  return at > 0 ? [entry.slice(0, at).trim(), entry.slice(at + 1).trim()] : undefined;
}

function textPair([name, value]: [string, string | number | boolean]): [string, string] {
  return [name, String(value)];
}
