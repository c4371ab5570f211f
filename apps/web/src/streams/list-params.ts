/** The URL parameters of a list: view, filters, order and position; defaults are left out of the URL. */
import {
  createLoader,
  createSerializer,
  parseAsBoolean,
  parseAsString,
  parseAsStringLiteral,
  type inferParserType,
} from "nuqs/server";
import { TIME_FIELDS, VIEWS } from "@sluice/control/row-filter";
import { TIMES, timesOf, timesOfDays, type Span } from "../ui/time-range.ts";
import { DIRECTIONS, isPlain, SORTS } from "./stream-filter.ts";

/** A named range, or days of which the address names the first and the last. */
export const WHEN = [...TIMES, "days"] as const;

export const listParsers = {
  view: parseAsStringLiteral(VIEWS).withDefault("all"),
  q: parseAsString.withDefault(""),
  source: parseAsString.withDefault(""),
  watch: parseAsString.withDefault(""),
  worker: parseAsString.withDefault(""),
  reason: parseAsString.withDefault(""),
  stalled: parseAsBoolean.withDefault(false),
  reopened: parseAsBoolean.withDefault(false),
  time: parseAsStringLiteral(TIME_FIELDS).withDefault("started"),
  when: parseAsStringLiteral(WHEN),
  first: parseAsString.withDefault(""),
  last: parseAsString.withDefault(""),
  sort: parseAsStringLiteral(SORTS).withDefault("started"),
  dir: parseAsStringLiteral(DIRECTIONS).withDefault("desc"),
  after: parseAsString,
  before: parseAsString,
};
export type ListParams = inferParserType<typeof listParsers>;

export const loadListParams = createLoader(listParsers);
const serialize = createSerializer(listParsers);

/** The URL of a list with these parameters. */
export function listHref(params: Partial<ListParams>): string {
  return serialize("/streams", params);
}

/** Resets the position when the content of the list changes. */
export const FROM_THE_TOP = { after: null, before: null } as const;

/** Which times the list shows; what they are depends on the reader's clock and zone. */
export function spanOf({ when, first, last }: ListParams, now: number, utc: boolean): Span {
  return when === "days" ? timesOfDays(first, last, utc) : timesOf(when, now, utc);
}

/** The input of the procedure. */
export function pageInput(params: ListParams, { from, until }: Span = {}) {
  const { sort, dir, after, before, when: _, first: __, last: ___, ...filter } = params;
  return {
    filter: {
      ...filter,
      ...(from === undefined ? {} : { since: from }),
      ...(until === undefined ? {} : { until }),
    },
    sort,
    dir,
    ...(after === null ? {} : { after }),
    ...(before === null ? {} : { before }),
  };
}

/** Whether the list is filtered by more than the view. */
export function isNarrowed(params: ListParams): boolean {
  return params.when !== null || !isPlain(params);
}
