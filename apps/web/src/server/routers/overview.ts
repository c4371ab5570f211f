/** Procedures of the pages about the whole system: overview, failed, orphans, sources, workers, webhooks, activity. */
import { z } from "zod";
import { activityAbout, activityPage } from "../activity.ts";
import { withoutAddress } from "../download.ts";
import { failedGroups } from "../failed.ts";
import { orphansView } from "../orphans.ts";
import { RANGES, RANGE_MINUTES } from "../../overview/range.ts";
import { chartOfMinutes, overviewOf } from "../overview/overview.ts";
import { ask, answerTo } from "../questions.ts";
import { operatorProcedure, router, viewerProcedure } from "../trpc.ts";
import { sourceChart } from "../sources/sources.ts";
import { systemView } from "../system.ts";
import { retryWebhook, webhookPage } from "../webhook-page.ts";
import { workerPage } from "../worker-page.ts";
import { workerViews } from "../workers.ts";

const MAX_NAME_CHARS = 256;
/** ms since 1970. */
const time = z.number().int().min(0);

export const overviewRouter = router({
  get: viewerProcedure.query(({ ctx }) => overviewOf(ctx.hub)),
  chart: viewerProcedure
    .input(z.object({ range: z.enum(RANGES) }))
    .query(({ ctx, input }) => chartOfMinutes(ctx.hub, RANGE_MINUTES[input.range])),
});

export const failedRouter = router({
  groups: viewerProcedure
    .input(z.object({ since: time.optional(), until: time.optional() }).optional())
    .query(({ ctx, input }) => failedGroups(ctx.hub, input)),
});

export const workersRouter = router({
  list: viewerProcedure.query(({ ctx }) => workerViews(ctx.hub)),
  get: viewerProcedure
    .input(z.object({ id: z.string().min(1).max(MAX_NAME_CHARS) }))
    .query(({ ctx, input }) => workerPage(ctx.hub, input.id)),
});

const watchName = z.string().max(MAX_NAME_CHARS);

export const sourcesRouter = router({
  list: viewerProcedure.query(({ ctx }) => ctx.hub.sourcesNow()),
  chart: viewerProcedure
    .input(z.object({ source: watchName, watch: watchName.optional(), range: z.enum(RANGES) }))
    .query(({ ctx, input }) => sourceChart(ctx.hub, input, RANGE_MINUTES[input.range])),
});

export const webhooksRouter = router({
  get: viewerProcedure.query(({ ctx }) => webhookPage(ctx.hub)),
  retry: operatorProcedure
    .input(z.object({ position: z.string().regex(/^\d{1,16}-\d{1,16}$/) }))
    .mutation(({ ctx, input }) =>
      retryWebhook(ctx.hub, { who: ctx.user, from: ctx.facts.client }, input.position),
    ),
});

export const systemRouter = router({
  get: viewerProcedure.query(({ ctx }) => systemView(ctx.hub)),
});

export const orphansRouter = router({
  list: viewerProcedure.query(({ ctx }) => orphansView(ctx.hub)),
  scan: operatorProcedure.mutation(({ ctx }) => {
    return ask(ctx.hub, { who: ctx.user, from: ctx.facts.client }, "scan_orphans", ["*"]);
  }),
});

export const activityRouter = router({
  page: viewerProcedure
    .input(
      z.object({
        cursor: z.string().max(64).optional(),
        kind: z.enum(["actions", "sign_ins"]).optional(),
        who: z.string().max(MAX_NAME_CHARS).optional(),
        action: z.string().max(64).optional(),
        from: time.optional(),
        until: time.optional(),
      }),
    )
    .query(({ ctx, input }) => activityPage(ctx.hub, input)),
  about: viewerProcedure
    .input(z.object({ id: z.string().min(1).max(256) }))
    .query(({ ctx, input }) => activityAbout(ctx.hub, input.id)),
});

export const requestsRouter = router({
  get: viewerProcedure
    .input(z.object({ id: z.uuid() }))
    .query(async ({ ctx, input }) => withoutAddress(await answerTo(ctx.hub, input.id))),
});
