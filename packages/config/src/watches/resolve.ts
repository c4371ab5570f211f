/**
 * Which directories are watched, with which names, prefixes and rules. If `SLUICE_WATCH` is set, it lists them; the
 * `watches` of the file give the rules, by name or path, and list the directories if it is not set.
 */
import { basename, dirname, resolve } from "node:path";
import type { AfterUpload } from "@sluice/core";
import { nameAt, type Origin } from "../origin.ts";
import type { ConfigProblem } from "../problems.ts";
import { RULE_FIELDS, type Rules, type SettingKey, type Settings } from "../schema.ts";
import { DEFAULT_IDLE_MAX_MS } from "../settings/completion.ts";
import { MOST_WATCHES } from "../sources/yaml-file.ts";
import { nameProblems, pathProblems, prefixProblems } from "./collisions.ts";
import { readEntries, type WatchEntry } from "./entries.ts";
import type { WatchConfig } from "./watch-config.ts";

export interface WatchSources {
  settings: Settings;
  sources: Readonly<Record<SettingKey, Origin>>;
  /** `watches` of the file. */
  fromFile: unknown;
  /** Absolute path of the file; it need not exist. */
  filePath: string;
  cwd: string;
  source: string;
}

export interface ResolvedWatches {
  watches: WatchConfig[];
  problems: ConfigProblem[];
  warnings: string[];
}

export function resolveWatches(from: WatchSources): ResolvedWatches {
  const problems: ConfigProblem[] = [];
  const warnings: string[] = [];
  const inFile = readEntries(from.fromFile, from.filePath, problems);
  const listed = listedWatches(from);
  if (listed !== undefined && listed.length > MOST_WATCHES) {
    const key = nameAt(from.sources.watch, "WATCH");
    problems.push({
      key,
      text: `${key} names ${listed.length} directories: at most ${MOST_WATCHES} are watched`,
    });
    return { watches: [], problems, warnings };
  }
  const chosen = listed === undefined ? inFile : choose(listed, inFile, warnings);
  const names = uniqueNames(chosen);
  const watches = chosen.map((entry, at) => settle(entry, names[at] ?? "", chosen.length, from));
  problems.push(...nameProblems(watches), ...prefixProblems(watches), ...pathProblems(watches));
  return { watches, problems, warnings };
}

/** `SLUICE_WATCH`; undefined if it is not set. */
function listedWatches(from: WatchSources): WatchEntry[] | undefined {
  const { watch } = from.settings;
  if (watch === undefined) return undefined;
  const origin = from.sources.watch;
  return watch.map((text) => {
    // A name has no slash; a path that contains = begins with a slash or a dot.
    const [, name, path = text] = /^([^/=]+)=(.+)$/.exec(text) ?? [];
    const root = resolve(baseOf(origin, from.cwd), path);
    return { name, root, keyPrefix: undefined, rules: {}, at: nameAt(origin, "WATCH") };
  });
}

function choose(
  listed: readonly WatchEntry[],
  inFile: readonly WatchEntry[],
  warnings: string[],
): WatchEntry[] {
  const used = new Set<WatchEntry>();
  const chosen = listed.map((entry) => {
    const rules = inFile.find(
      (other) => other.root === entry.root || (entry.name !== undefined && other.name === entry.name),
    );
    if (!rules) return entry;
    used.add(rules);
    return { ...rules, name: entry.name ?? rules.name, root: entry.root };
  });
  for (const entry of inFile) {
    if (!used.has(entry))
      warnings.push(`${entry.at} (${entry.root}) is not watched, because SLUICE_WATCH does not list it`);
  }
  return chosen;
}

/**
 * The name of the directory, with characters that a name cannot have replaced; `-2`, `-3` … make equal names unique.
 */
function uniqueNames(entries: readonly WatchEntry[]): string[] {
  const taken = new Set(entries.flatMap(({ name }) => name ?? []));
  return entries.map(({ name, root }) => {
    if (name !== undefined) return name;
    const stem = basename(root).replaceAll(/[\s/:,={}\p{Cc}]+/gu, "-") || "root";
    let unique = stem;
    for (let count = 2; taken.has(unique); count += 1) unique = `${stem}-${count}`;
    taken.add(unique);
    return unique;
  });
}

function settle(entry: WatchEntry, name: string, count: number, from: WatchSources): WatchConfig {
  const { settings, source, cwd, sources, filePath } = from;
  const own = entry.keyPrefix ?? (count > 1 ? `${name}/` : "");
  const rules = { ...pickRules(settings), ...entry.rules };
  const base = entry.rules.afterUpload ? dirname(filePath) : baseOf(sources.afterUpload, cwd);
  return {
    ...rules,
    idleMaxMs: rules.idleMaxMs ?? Math.max(DEFAULT_IDLE_MAX_MS, rules.idleTimeoutMs),
    afterUpload: absolute(rules.afterUpload, base),
    ...ownRules(entry),
    name,
    root: entry.root,
    keyPrefix: (settings.s3KeyPrefix + own).replaceAll("{source}", source).replaceAll("{watch}", name),
  };
}

function ownRules({ rules, at }: WatchEntry): Pick<WatchConfig, "own"> {
  const keys = RULE_FIELDS.flatMap(({ key }) => (rules[key] === undefined ? [] : [key]));
  return keys.length === 0 ? {} : { own: { rules: keys, at } };
}

function pickRules(settings: Settings): Rules {
  // The keys are those of the rules.
  return Object.fromEntries(RULE_FIELDS.map(({ key }) => [key, settings[key]])) as unknown as Rules;
}

function absolute(after: AfterUpload, base: string): AfterUpload {
  return after.kind === "move" ? { kind: "move", directory: resolve(base, after.directory) } : after;
}

/** A relative path is relative to the place where it was set. */
function baseOf(origin: Origin, cwd: string): string {
  return origin.kind === "file" ? dirname(origin.path) : cwd;
}
