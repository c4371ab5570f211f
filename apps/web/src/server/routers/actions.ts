/** Plan, show, execute: no action applies to whatever a list happens to show at the moment of the click. */
import { z } from "zod";
import { STREAM_ACTIONS } from "@sluice/control/actions";
import {
  planOrphans,
  planPrune,
  planSalvageUpload,
  planStreams,
  targetSchema,
} from "../actions/make-plan.ts";
import { planProgress } from "../actions/progress.ts";
import { resumePlan, runPlan } from "../actions/run-plan.ts";
import { operatorProcedure, router, viewerProcedure } from "../trpc.ts";

const token = z.uuid();
const MAX_REASON_CHARS = 500;
const MAX_UPLOADS = 1_000;

export const actionsRouter = router({
  plan: operatorProcedure
    .input(
      z.object({
        action: z.enum(STREAM_ACTIONS),
        target: targetSchema,
        upload: z.enum(["abort", "keep", "lose"]).default("abort"),
        force: z.boolean().default(false),
      }),
    )
    .mutation(({ ctx, input }) => planStreams(ctx.hub, ctx.user, input)),

  planOrphans: operatorProcedure
    .input(z.object({ upload_ids: z.array(z.string().min(1).max(4_096)).min(1).max(MAX_UPLOADS) }))
    .mutation(({ ctx, input }) => planOrphans(ctx.hub, ctx.user, input.upload_ids)),

  planSalvageUpload: operatorProcedure
    .input(z.object({ upload_id: z.string().min(1).max(4_096) }))
    .mutation(({ ctx, input }) => planSalvageUpload(ctx.hub, ctx.user, input.upload_id)),

  planPrune: operatorProcedure
    .input(z.object({ older_than_ms: z.number().int().min(0) }))
    .mutation(({ ctx, input }) => planPrune(ctx.hub, ctx.user, input.older_than_ms)),

  execute: operatorProcedure
    .input(
      z.object({
        token,
        typed: z.string().max(64).default(""),
        reason: z.string().max(MAX_REASON_CHARS).optional(),
      }),
    )
    .mutation(async ({ ctx, input }) => {
      const actor = { who: ctx.user, from: ctx.facts.client };
      await runPlan(ctx.hub, actor, input.token, input.typed, input.reason?.trim() || undefined);
      return planProgress(ctx.hub, input.token);
    }),

  /** Continues a plan that was confirmed and then interrupted. */
  resume: operatorProcedure.input(z.object({ token })).mutation(async ({ ctx, input }) => {
    await resumePlan(ctx.hub, { who: ctx.user, from: ctx.facts.client }, input.token);
    return planProgress(ctx.hub, input.token);
  }),

  progress: viewerProcedure
    .input(z.object({ token }))
    .query(({ ctx, input }) => planProgress(ctx.hub, input.token)),
});
