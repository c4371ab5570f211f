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
import { healthOf } from "./system.ts";

const ENDPOINT = "/api/trpc";
/** Calls in one request; a page makes a handful. */
const MAX_BATCH = 20;

export interface Server {
  settings: WebSettings;
  router: typeof appRouter;
  /** For reads while a page is rendered. */
  pageContext(headers: Headers): RequestContext;
  pageAccess(headers: Headers): Promise<Access | { kind: "redis_away"; detail: string }>;
  /**
   * The state of the system for the first paint, so that the page does not change when the live feed reports the same.
   */
  firstBatch(): Promise<LiveBatch>;
  /** For probes, which have no session. */
  health(): ReturnType<typeof healthOf>;
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
    health: () => healthOf(hub),
    async answer(request) {
      const asked = performance.now();
      // A form of another site can send text and form data without a CORS preflight, but not JSON.
      if (request.method === "POST" && !isJson(request.headers.get("content-type"))) {
        return new Response("only JSON is accepted\n", {
          status: 415,
          headers: { "cache-control": "no-store" },
        });
      }
      const response = await fetchRequestHandler({
        endpoint: ENDPOINT,
        maxBatchSize: MAX_BATCH,
        req: request,
        router: appRouter,
        createContext: ({ resHeaders }) => makeContext(hub, request.headers, "call", resHeaders),
        // Shown in every browser's network panel, and measured by the performance tests.
        responseMeta: () => ({
          headers: new Headers({ "server-timing": `total;dur=${(performance.now() - asked).toFixed(1)}` }),
        }),
      });
      // No browser or proxy may store an answer; nor may events be delayed for compression.
      response.headers.set("cache-control", "no-store, no-transform");
      return response;
    },
  };
}

function isJson(contentType: string | null): boolean {
  return /^application\/json\s*(?:;|$)/i.test(contentType ?? "");
}
