/** The query behind "furthest behind", used by the server and the browser. */
import { filterSchema } from "../streams/stream-filter.ts";

export const BUSIEST = {
  filter: filterSchema.parse({ view: "active" }),
  sort: "lag",
  dir: "desc",
  limit: 6,
} as const;
