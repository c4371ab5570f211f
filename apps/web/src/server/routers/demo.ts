/** "Kill it now": these procedures are refused outside a demo. */
import { TRPCError } from "@trpc/server";
import { demoState, killWorker } from "../demo/demo.ts";
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
});
