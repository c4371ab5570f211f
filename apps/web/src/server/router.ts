/** Everything the browser can ask for. */
import { actionsRouter } from "./routers/actions.ts";
import { liveRouter } from "./routers/live.ts";
import { sessionRouter } from "./routers/session.ts";
import { streamsRouter } from "./routers/streams.ts";
import { router } from "./trpc.ts";

export const appRouter = router({
  session: sessionRouter,
  live: liveRouter,
  streams: streamsRouter,
  actions: actionsRouter,
});
export type AppRouter = typeof appRouter;
