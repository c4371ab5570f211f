/** Options that several commands share. Each is parsed in one place; a usage error says which values are allowed. */
import { TIME_FIELDS, type TimeField } from "@sluice/control/row-filter";
import { FAILURE_REASONS } from "@sluice/core";
import { flagDefinitions, formatDuration } from "@sluice/config";
import { parseDuration } from "@sluice/config/values/units";
import { nearest } from "@sluice/config/suggest";
import { InvalidArgumentError, Option, type Argument, type Command } from "commander";

export function addJson(command: Command): Command {
  return command.option("--json", "print one JSON document, field names as in Redis");
}

export interface FilterFlags {
  reason?: string[];
  source?: string;
  watch?: string;
  path?: string;
  olderThan?: number;
  time?: TimeField;
  since?: number;
  until?: number;
}

export function addFilters(command: Command): Command {
  return command
    .option("--source <source>", "only streams of this source")
    .option("--watch <name>", "only streams of this watch")
    .option("--path <text>", "only streams whose path or key contains this text")
    .addOption(reasonOption("only streams that failed for this reason; may be repeated"))
    .option(
      "--older-than <duration>",
      "only streams without activity for this long, for example 30m or 7d",
      duration,
    )
    .option(
      "--since <time>",
      "only streams that started at this time or later, for example 2h, 2026-11-29",
      pastTime,
    )
    .option("--until <time>", "only streams that started before this time", pastTime)
    .addOption(
      new Option("--time <what>", "what --since and --until are compared with (default: started)").choices(
        TIME_FIELDS,
      ),
    );
}

function reasonOption(about: string): Option {
  return new Option("--reason <reason...>", about).choices(FAILURE_REASONS);
}

/** Accepts several of these words; the error for a mistyped one suggests the nearest. */
export function withSuggestions(argument: Argument, words: readonly string[]): Argument {
  return argument.choices(words).argParser((word: string, before: readonly string[] | undefined) => {
    if (words.includes(word)) return [...(before ?? []), word];
    const meant = nearest(word, words);
    const hint = meant === undefined ? "" : ` Did you mean ${meant}?`;
    throw new InvalidArgumentError(`Allowed choices are ${words.join(", ")}.${hint}`);
  });
}

/** Settings as flags, the same as for the worker. */
export function addSettingFlags(command: Command): Command {
  for (const { flags, about } of flagDefinitions()) command.option(flags, about);
  return command;
}

export function duration(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw new InvalidArgumentError("Expected a duration such as 30s, 10m, 2h or 7d.");
  return ms;
}

/** A duration ago, or a date with or without a time, in local time unless it names its zone. Returns ms since 1970. */
export function pastTime(text: string): number {
  const ago = parseDuration(text);
  if (ago !== undefined) return Date.now() - ago;
  const isDate = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)?$/.test(text);
  // A date alone would be read as UTC.
  const at = isDate ? Date.parse(text.length === 10 ? `${text}T00:00` : text.replace(" ", "T")) : NaN;
  if (Number.isNaN(at))
    throw new InvalidArgumentError("Expected a time such as 2h (ago), 2026-11-29 or 2026-11-29T18:30.");
  return at;
}

/** For `--wait` and similar options: stored in ms, shown as typed. */
export function durationOption(flags: string, about: string, ms: number): Option {
  return new Option(flags, about).argParser(duration).default(ms, formatDuration(ms));
}

export function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("Expected a whole number.");
  return Number(text);
}
