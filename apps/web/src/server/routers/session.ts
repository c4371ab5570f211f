/** Signing in and out. */
import { KEPT } from "@sluice/redis-schema/kept";
import { TRPCError } from "@trpc/server";
import { z } from "zod";
import { passwordMatches } from "../auth/password.ts";
import { endedCookie, newToken, sessionCookie, tokenHash } from "../auth/session-cookie.ts";
import type { RequestContext } from "../context.ts";
import { publicProcedure, router } from "../trpc.ts";
import { formatDuration } from "@sluice/control/units";

const MAX_PASSWORD_CHARS = 1_024;

export const sessionRouter = router({
  login: publicProcedure
    .input(z.object({ password: z.string().max(MAX_PASSWORD_CHARS) }))
    .mutation(async ({ ctx, input }) => {
      const { hub, facts } = ctx;
      const known = await hub.password;
      if (known === undefined)
        throw new TRPCError({ code: "FORBIDDEN", message: "this dashboard asks for no password" });
      const attempt = await hub.sessions.attempt(facts.client);
      if (!attempt.allowed) throw tooMany(attempt.retryAfterMs);
      if (!(await passwordMatches(input.password, known))) {
        await audit(ctx, "sign in", "refused: wrong password");
        throw new TRPCError({ code: "UNAUTHORIZED", message: "wrong password" });
      }
      const token = newToken();
      await hub.sessions.begin(tokenHash(token), { who: "operator", role: "operator" });
      await hub.sessions.succeeded(facts.client);
      await audit(ctx, "sign in", "done");
      ctx.responseHeaders.append("set-cookie", sessionCookie(token, facts.https, KEPT.sessionMs / 1_000));
      return { ok: true };
    }),

  /** Ends the session in Redis; also for a cookie whose session is gone. */
  logout: publicProcedure.mutation(async ({ ctx }) => {
    const access = await ctx.access();
    if (access.kind === "granted" && access.token !== undefined) {
      await ctx.hub.sessions.end(tokenHash(access.token));
      await audit(ctx, "sign out", "done");
    }
    ctx.responseHeaders.append("set-cookie", endedCookie(ctx.facts.https));
    return { ok: true };
  }),
});

function tooMany(retryAfterMs: number): TRPCError {
  const message = `Too many attempts from this address: try again in ${formatDuration(retryAfterMs)}.`;
  return new TRPCError({ code: "TOO_MANY_REQUESTS", message });
}

function audit(ctx: RequestContext, action: string, result: string): Promise<void> {
  return ctx.hub.audit.append({ who: "operator", from: ctx.facts.client, action, ids: [], result });
}
