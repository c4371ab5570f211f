/** The server as pages and routes see it. */
import { CheckpointError } from "@sluice/core/errors";
import { fetchRequestHandler } from "@trpc/server/adapters/fetch";
import type { Access } from "./auth/access.ts";
import { makeContext, type RequestContext } from "./context.ts";
import type { LiveBatch } from "../live/live-batch.ts";
import type { Hub } from "./hub.ts";
import { batchOf, NO_CHANGE } from "./live-batch.ts";
import { appRouter } from "./router.ts";
import type { WebSettings } from "./settings.ts";

const ENDPOINT = "/api/trpc";
/** Plans name a filter or a page of ids: no body of ours comes near this. */
const MAX_BODY_BYTES = 100 * 1024;

export interface Server {
  settings: WebSettings;
  router: typeof appRouter;
  /** For reads while a page is made. */
  pageContext(headers: Headers): RequestContext;
  pageAccess(headers: Headers): Promise<Access | { kind: "redis_away"; detail: string }>;
  /** How the system stands, for the first paint: nothing moves when the live feed says the same. */
  firstBatch(): Promise<LiveBatch>;
  /** Answers the browser's calls. */
  answer(request: Request): Promise<Response>;
}

export function makeServer(hub: Hub): Server {
  return {
    settings: hub.settings,
    router: appRouter,
    pageContext: (headers) => makeContext(hub, headers, "page"),
    async pageAccess(headers) {
      try {
        return await makeContext(hub, headers, "page").access();
      } catch (error) {
        if (error instanceof CheckpointError) return { kind: "redis_away", detail: error.message };
        throw error;
      }
    },
    firstBatch: () => batchOf(hub, NO_CHANGE),
    async answer(request) {
      if (Number(request.headers.get("content-length") ?? "0") > MAX_BODY_BYTES) {
        return new Response("the request is too large", { status: 413 });
      }
      const asked = performance.now();
      return fetchRequestHandler({
        endpoint: ENDPOINT,
        req: request,
        router: appRouter,
        createContext: ({ resHeaders }) => makeContext(hub, request.headers, "call", resHeaders),
        // Shown by every browser's network panel, and what the tests of speed measure.
        responseMeta: () => ({
          headers: new Headers({ "server-timing": `total;dur=${(performance.now() - asked).toFixed(1)}` }),
        }),
      });
    },
  };
}
