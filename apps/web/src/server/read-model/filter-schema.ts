/** The filter of a list as a browser sends it. */
import { TIME_FIELDS, VIEWS } from "@sluice/control/row-filter";
import { z } from "zod";
import { ALL_STREAMS, type StreamFilter } from "../../streams/stream-filter.ts";

/** Longest search text, in characters. */
const MAX_SEARCH_CHARS = 1_024;
const text = (most = MAX_SEARCH_CHARS) => z.string().max(most);

export const filterSchema = z.object({
  view: z.enum(VIEWS).default(ALL_STREAMS.view),
  q: text().default(ALL_STREAMS.q),
  source: text().default(ALL_STREAMS.source),
  watch: text().default(ALL_STREAMS.watch),
  worker: text().default(ALL_STREAMS.worker),
  reason: text(64).default(ALL_STREAMS.reason),
  stalled: z.boolean().default(ALL_STREAMS.stalled),
  reopened: z.boolean().default(ALL_STREAMS.reopened),
  time: z.enum(TIME_FIELDS).default(ALL_STREAMS.time),
  since: z.number().min(0).optional(),
  until: z.number().min(0).optional(),
}) satisfies z.ZodType<StreamFilter>;
