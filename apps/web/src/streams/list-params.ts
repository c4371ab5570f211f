/** The URL parameters of a list: view, filters, order and position; defaults are left out of the URL. */
import {
  createLoader,
  createSerializer,
  parseAsBoolean,
  parseAsString,
  parseAsStringLiteral,
  type inferParserType,
} from "nuqs/server";
import { VIEWS } from "@sluice/control/row-filter";
import { DIRECTIONS, isPlain, SORTS } from "./stream-filter.ts";

export const listParsers = {
  view: parseAsStringLiteral(VIEWS).withDefault("all"),
  q: parseAsString.withDefault(""),
  watch: parseAsString.withDefault(""),
  worker: parseAsString.withDefault(""),
  reason: parseAsString.withDefault(""),
  stalled: parseAsBoolean.withDefault(false),
  reopened: parseAsBoolean.withDefault(false),
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

/** The input of the procedure. */
export function pageInput({ sort, dir, after, before, ...filter }: ListParams) {
  return {
    filter,
    sort,
    dir,
    ...(after === null ? {} : { after }),
    ...(before === null ? {} : { before }),
  };
}

/** Whether the list is filtered by more than the view. */
export function isNarrowed(params: ListParams): boolean {
  return !isPlain(params);
}
