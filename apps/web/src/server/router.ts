/** All procedures that the browser can call. */
import { actionsRouter } from "./routers/actions.ts";
import { demoRouter } from "./routers/demo.ts";
import { liveRouter } from "./routers/live.ts";
import {
  activityRouter,
  failedRouter,
  orphansRouter,
  overviewRouter,
  requestsRouter,
  sourcesRouter,
  systemRouter,
  webhooksRouter,
  workersRouter,
} from "./routers/overview.ts";
import { sessionRouter } from "./routers/session.ts";
import { streamsRouter } from "./routers/streams.ts";
import { router } from "./trpc.ts";

export const appRouter = router({
  session: sessionRouter,
  live: liveRouter,
  streams: streamsRouter,
  actions: actionsRouter,
  overview: overviewRouter,
  failed: failedRouter,
  orphans: orphansRouter,
  sources: sourcesRouter,
  workers: workersRouter,
  webhooks: webhooksRouter,
  system: systemRouter,
  activity: activityRouter,
  requests: requestsRouter,
  demo: demoRouter,
});
export type AppRouter = typeof appRouter;
