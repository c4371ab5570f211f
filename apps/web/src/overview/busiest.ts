/** The question behind "furthest behind", asked by the page and by the browser alike. */
import { filterSchema } from "../streams/stream-filter.ts";

export const BUSIEST = {
  filter: filterSchema.parse({ view: "active" }),
  sort: "lag",
  dir: "desc",
  limit: 6,
} as const;
