/**
 * Every procedure passes the same checks: origin, then session, then role, then read-only. What a procedure needs is
 * stated in its meta, so that a test can walk the router and try each procedure from outside.
 */
import { CheckpointError } from "@sluice/core/errors";
import { initTRPC, TRPCError } from "@trpc/server";
import { judgeOrigin } from "./auth/origin.ts";
import type { RequestContext } from "./context.ts";

export interface ProcedureMeta {
  /** `public`: before signing in. */
  needs: "public" | "viewer" | "operator";
}

const PING_EVERY_MS = 15_000;
/** More than two pings were missed: the browser reconnects. */
const RECONNECT_AFTER_MS = 35_000;

const t = initTRPC
  .context<RequestContext>()
  .meta<ProcedureMeta>()
  .create({
    defaultMeta: { needs: "operator" },
    isDev: false,
    sse: {
      ping: { enabled: true, intervalMs: PING_EVERY_MS },
      client: { reconnectAfterInactivityMs: RECONNECT_AFTER_MS },
    },
    errorFormatter({ shape, error }) {
      // What the code means here, for a page that has its own words for it.
      const why = error.cause instanceof CheckpointError ? "redis_away" : undefined;
      return { ...shape, data: { code: shape.data.code, httpStatus: shape.data.httpStatus, why } };
    },
  });

/** An unavailable Redis is not a bug: it has its own code, which pages show as such. */
const withErrorCodes = t.procedure.use(async ({ ctx, next }) => {
  const result = await ctx.hub.model.urgently(() => next());
  if (!result.ok && result.error.cause instanceof CheckpointError) {
    const { cause } = result.error;
    throw new TRPCError({ code: "SERVICE_UNAVAILABLE", message: cause.message, cause });
  }
  return result;
});

const fromOurPages = withErrorCodes.use(({ ctx, type, next }) => {
  const origin = judgeOrigin({
    isWrite: type === "mutation",
    origin: ctx.headers.get("origin"),
    // A page may be opened from anywhere, such as a link in a chat. Only calls of a script must come from our own
    // pages.
    secFetchSite: ctx.via === "page" ? null : ctx.headers.get("sec-fetch-site"),
    https: ctx.facts.https,
    host: ctx.facts.host,
    loopbackOnly: ctx.settings.auth.mode === "none",
  });
  if (!origin.ok) throw new TRPCError({ code: "FORBIDDEN", message: origin.why });
  return next();
});

const signedIn = fromOurPages.use(async ({ ctx, meta, type, next }) => {
  const access = await ctx.access();
  if (access.kind === "login") throw new TRPCError({ code: "UNAUTHORIZED", message: "sign in first" });
  if (access.kind === "refused") throw new TRPCError({ code: "UNAUTHORIZED", message: access.why });
  if (meta?.needs !== "viewer" && access.role !== "operator") {
    throw new TRPCError({ code: "FORBIDDEN", message: "viewers can view, operators can act" });
  }
  if (type === "mutation" && ctx.settings.readOnly) {
    const message = "the dashboard is read-only (SLUICE_WEB_READ_ONLY)";
    throw new TRPCError({ code: "METHOD_NOT_SUPPORTED", message });
  }
  return next({ ctx: { user: access.user, role: access.role } });
});

export const router = t.router;
export const publicProcedure = fromOurPages.meta({ needs: "public" });
export const viewerProcedure = signedIn.meta({ needs: "viewer" });
export const operatorProcedure = signedIn.meta({ needs: "operator" });
