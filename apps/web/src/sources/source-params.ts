/** Which source, and which of its watches, a page of sources shows: part of its address, because names may be anything. */
import { createLoader, createSerializer, parseAsString } from "nuqs/server";
import { rangeParsers } from "../overview/range.ts";

export const sourceParsers = { source: parseAsString, watch: parseAsString, ...rangeParsers };
export const loadSource = createLoader(sourceParsers);
const serialize = createSerializer(sourceParsers);

/** Without a watch, the page of the source. */
export function sourceHref(source: string, watch?: string): string {
  return serialize("/sources", { source, ...(watch === undefined ? {} : { watch }) });
}
