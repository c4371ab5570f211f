/** Parses the `watches` of the file, each with its own rules; every wrong key or value is reported with its place. */
import { dirname, resolve } from "node:path";
import { parseField } from "../parse-settings.ts";
import type { ConfigProblem } from "../problems.ts";
import { RULE_FIELDS, type RuleKey, type Rules } from "../schema.ts";
import { yamlKey } from "../setting.ts";
import { unknownKey, WATCHES_KEY } from "../sources/yaml-file.ts";

/** One entry, before defaults are filled in. */
export interface WatchEntry {
  name: string | undefined;
  root: string;
  keyPrefix: string | undefined;
  rules: Partial<Rules>;
  /** The place in messages. */
  at: string;
}

export const ENTRY_KEYS = ["name", "path", "key_prefix"] as const;

export function readEntries(fromFile: unknown, filePath: string, problems: ConfigProblem[]): WatchEntry[] {
  if (fromFile === undefined || fromFile === null) return [];
  if (!Array.isArray(fromFile)) {
    problems.push({
      key: WATCHES_KEY,
      text: `${WATCHES_KEY} in ${filePath} must be a list, each with a path`,
    });
    return [];
  }
  return fromFile.flatMap((raw: unknown, at) => {
    const where = `${WATCHES_KEY}[${at}] in ${filePath}`;
    if (typeof raw === "object" && raw !== null && !Array.isArray(raw)) {
      return readEntry(new Map(Object.entries(raw)), where, filePath, problems) ?? [];
    }
    problems.push({ key: WATCHES_KEY, text: `${where} must be a map with a path` });
    return [];
  });
}

function readEntry(
  raw: ReadonlyMap<string, unknown>,
  at: string,
  filePath: string,
  problems: ConfigProblem[],
): WatchEntry | undefined {
  const rules = readRules(raw, at, problems);
  const name = textOf(raw, "name", at, problems);
  const path = textOf(raw, "path", at, problems);
  const keyPrefix = textOf(raw, "key_prefix", at, problems);
  if (path === undefined) {
    if (!raw.has("path")) problems.push({ key: "path", text: `${at} has no path: the directory to watch` });
    return undefined;
  }
  return { name, root: resolve(dirname(filePath), path), keyPrefix, rules, at };
}

function readRules(raw: ReadonlyMap<string, unknown>, at: string, problems: ConfigProblem[]): Partial<Rules> {
  const rules: Partial<Record<RuleKey, unknown>> = {};
  const known = new Map(RULE_FIELDS.map((field) => [yamlKey(field.meta.name), field]));
  const keys = [...ENTRY_KEYS, ...known.keys()];
  for (const [key, value] of raw) {
    const field = known.get(key);
    if (!keys.includes(key)) problems.push(unknownKey(key, keys, at));
    if (!field || value === null) continue;
    const parsed = parseField(field, { value, origin: { kind: "file", path: at } });
    if ("problem" in parsed) problems.push(parsed.problem);
    else rules[field.key] = parsed.value;
  }
  // Each rule was returned by the field of its own key.
  return rules as Partial<Rules>;
}

function textOf(
  raw: ReadonlyMap<string, unknown>,
  key: string,
  at: string,
  problems: ConfigProblem[],
): string | undefined {
  const value = raw.get(key);
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string" && (value !== "" || key === "key_prefix")) return value;
  problems.push({ key, text: `${key} of ${at} is ${JSON.stringify(value)}: allowed is a text` });
  return undefined;
}
