/** "Kill it now" and "Lose the disk": these procedures are refused outside a demo. */
import { TRPCError } from "@trpc/server";
import { z } from "zod";
import { demoState, killWorker } from "../demo/demo.ts";
import { loseDisk } from "../demo/lose-disk.ts";
import { operatorProcedure, router, viewerProcedure } from "../trpc.ts";
import type { WebSettings } from "../settings.ts";

function onlyInDemo({ demo }: WebSettings): void {
  if (demo) return;
  throw new TRPCError({ code: "PRECONDITION_FAILED", message: "only `npm start -- --demo` has this" });
}

export const demoRouter = router({
  state: viewerProcedure.query(({ ctx }) => {
    onlyInDemo(ctx.settings);
    return demoState(ctx.hub);
  }),
  kill: operatorProcedure.mutation(({ ctx }) => {
    onlyInDemo(ctx.settings);
    return killWorker(ctx.hub, { who: ctx.user, from: ctx.facts.client });
  }),
  lose: operatorProcedure
    .input(z.object({ id: z.string().min(1).max(256).optional() }))
    .mutation(async ({ ctx, input }) => {
      onlyInDemo(ctx.settings);
      await loseDisk(ctx.hub, { who: ctx.user, from: ctx.facts.client }, input.id);
      return demoState(ctx.hub);
    }),
});
