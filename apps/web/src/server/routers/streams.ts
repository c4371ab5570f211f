/** Lists of streams, one stream, its parts. */
import { ROW_FORMATS } from "@sluice/control/row-export";
import { z } from "zod";
import { EXPORT_FORMATS } from "../../parts/export-formats.ts";
import { DIRECTIONS, SORTS } from "../../streams/stream-filter.ts";
import { filterSchema } from "../read-model/filter-schema.ts";
import { exportedRows } from "../read-model/exported-rows.ts";
import { listPage } from "../read-model/list-page.ts";
import { facetsOf } from "../read-model/facets.ts";
import { askForComparison, askForProof, comparison } from "../comparison.ts";
import { askForDownload, downloadAnswer } from "../download.ts";
import { exportParts } from "../export-parts.ts";
import { metadataOf, partPage, partMapOf, streamDetail } from "../stream-detail.ts";
import { operatorProcedure, router, viewerProcedure } from "../trpc.ts";

const MAX_PAGE = 200;
const id = z.string().min(1).max(256);
const cursor = z.string().max(4_096);

export const pageInputSchema = z.object({
  filter: filterSchema,
  sort: z.enum(SORTS).default("started"),
  dir: z.enum(DIRECTIONS).default("desc"),
  after: cursor.optional(),
  before: cursor.optional(),
  limit: z.number().int().min(1).max(MAX_PAGE).default(100),
});
export type PageInput = z.infer<typeof pageInputSchema>;

export const streamsRouter = router({
  page: viewerProcedure.input(pageInputSchema).query(({ ctx, input }) => listPage(ctx.hub, input)),
  facets: viewerProcedure.query(({ ctx }) => facetsOf(ctx.hub)),
  detail: viewerProcedure.input(z.object({ id })).query(({ ctx, input }) => streamDetail(ctx.hub, input.id)),
  partMap: viewerProcedure.input(z.object({ id })).query(({ ctx, input }) => partMapOf(ctx.hub, input.id)),
  parts: viewerProcedure
    .input(z.object({ id, from: z.number().int().min(1), to: z.number().int().max(10_000) }))
    .query(({ ctx, input }) => partPage(ctx.hub, input.id, input.from, input.to)),
  exported: viewerProcedure
    .input(z.object({ id, format: z.enum(EXPORT_FORMATS) }))
    .query(async ({ ctx, input }) => {
      const { parts } = await ctx.hub.reader.parts(input.id);
      return { text: exportParts([...parts.values()], input.format) };
    }),
  exportedRows: viewerProcedure
    .input(z.object({ filter: filterSchema, format: z.enum(ROW_FORMATS), after: cursor.optional() }))
    .query(({ ctx, input }) => exportedRows(ctx.hub, input)),
  metadata: viewerProcedure.input(z.object({ id })).query(({ ctx, input }) => metadataOf(ctx.hub, input.id)),
  compare: operatorProcedure
    .input(z.object({ id }))
    .mutation(({ ctx, input }) =>
      askForComparison(ctx.hub, { who: ctx.user, from: ctx.facts.client }, input.id),
    ),
  prove: operatorProcedure
    .input(z.object({ id }))
    .mutation(({ ctx, input }) => askForProof(ctx.hub, { who: ctx.user, from: ctx.facts.client }, input.id)),
  download: operatorProcedure
    .input(z.object({ id }))
    .mutation(({ ctx, input }) =>
      askForDownload(ctx.hub, { who: ctx.user, from: ctx.facts.client }, input.id),
    ),
  downloadAddress: operatorProcedure
    .input(z.object({ id, request: z.uuid() }))
    .query(({ ctx, input }) => downloadAnswer(ctx.hub, ctx.user, input.id, input.request)),
  comparison: viewerProcedure
    .input(z.object({ id, request: z.uuid() }))
    .query(({ ctx, input }) => comparison(ctx.hub, input.id, input.request)),
});
