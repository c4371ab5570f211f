/** The list's address: view, filters, order and place, each with its default left out of the URL. */
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

/** Where a list with these choices is found. */
export function listHref(params: Partial<ListParams>): string {
  return serialize("/streams", params);
}

/** The place is left when what is listed changes. */
export const FROM_THE_TOP = { after: null, before: null } as const;

/** What the procedure takes. */
export function pageInput({ sort, dir, after, before, ...filter }: ListParams) {
  return {
    filter,
    sort,
    dir,
    ...(after === null ? {} : { after }),
    ...(before === null ? {} : { before }),
  };
}

/** More than the view decides what is listed. */
export function isNarrowed(params: ListParams): boolean {
  return !isPlain(params);
}
