/** Signing in and out, and the list of sessions. */
import { KEPT } from "@sluice/redis-schema/kept";
import type { AuditEntry } from "@sluice/redis-schema/records/feed";
import { TRPCError } from "@trpc/server";
import { z } from "zod";
import { bucketsOf } from "../auth/address-buckets.ts";
import { passwordMatches, sessionHash } from "../auth/password.ts";
import { endedCookie, newToken, sessionCookie } from "../auth/session-cookie.ts";
import type { RequestContext } from "../context.ts";
import { operatorProcedure, publicProcedure, router } from "../trpc.ts";
import { formatDuration } from "@sluice/control/units";

const MAX_PASSWORD_CHARS = 1_024;
/** Enough to distinguish browsers. */
const AGENT_CHARS = 200;

const MAX_NAME_CHARS = 64;

/**
 * Everyone with the password is an operator; the name is what they call themselves, and the audit log keeps it with the
 * address. Without one: "operator".
 */
const nameSchema = z
  .string()
  .max(MAX_NAME_CHARS)
  .optional()
  .transform((name) => name?.trim() || "operator");

export const sessionRouter = router({
  login: publicProcedure
    .input(z.object({ password: z.string().max(MAX_PASSWORD_CHARS), name: nameSchema }))
    .mutation(async ({ ctx, input }) => {
      const { hub, facts, headers } = ctx;
      const known = await hub.password;
      if (known === undefined)
        throw new TRPCError({ code: "FORBIDDEN", message: "this dashboard does not require a password" });
      const names = bucketsOf(facts.client);
      const attempt = await hub.sessions.attempt(names);
      if (!attempt.allowed) throw tooMany(attempt.retryAfterMs);
      if (!(await passwordMatches(input.password, known))) {
        await hub.audit.appendRefusal(entryOf(ctx, input.name, "sign in", "refused: wrong password"));
        throw new TRPCError({ code: "UNAUTHORIZED", message: "wrong password" });
      }
      const token = newToken();
      const agent = headers.get("user-agent")?.slice(0, AGENT_CHARS);
      await hub.sessions.begin(sessionHash(token, known), {
        who: input.name,
        role: "operator",
        from: facts.client,
        ...(agent ? { agent } : {}),
      });
      await hub.sessions.succeeded(names);
      await hub.audit.append(entryOf(ctx, input.name, "sign in", "done"));
      ctx.responseHeaders.append("set-cookie", sessionCookie(token, facts.https, KEPT.sessionMs / 1_000));
      return { ok: true };
    }),

  /** Ends the session in Redis, or with `everywhere` all of them; also for a cookie whose session no longer exists. */
  logout: publicProcedure
    .input(z.object({ everywhere: z.boolean().optional() }).optional())
    .mutation(async ({ ctx, input }) => {
      const { hub } = ctx;
      const access = await ctx.access();
      if (access.kind === "granted" && access.session !== undefined) {
        if (input?.everywhere === true) {
          await hub.sessions.endAll();
          await hub.audit.append(entryOf(ctx, access.user, "sign out everywhere", "done"));
        } else {
          await hub.sessions.end(access.session);
          await hub.audit.append(entryOf(ctx, access.user, "sign out", "done"));
        }
      }
      ctx.responseHeaders.append("set-cookie", endedCookie(ctx.facts.https));
      return { ok: true };
    }),

  /** Who is signed in by password, newest first. A session hash gives no access, and still is not sent. */
  list: operatorProcedure.query(async ({ ctx }) => {
    const access = await ctx.access();
    const own = access.kind === "granted" ? access.session : undefined;
    const sessions = await ctx.hub.sessions.list();
    return sessions.map(({ hash, who, from, agent, started_at, used_at }) => ({
      who,
      from,
      agent,
      started_at,
      used_at,
      is_this: hash === own,
    }));
  }),
});

function tooMany(retryAfterMs: number): TRPCError {
  const message = `Too many attempts: try again in ${formatDuration(retryAfterMs)}.`;
  return new TRPCError({ code: "TOO_MANY_REQUESTS", message });
}

function entryOf(
  ctx: RequestContext,
  who: string,
  action: string,
  result: string,
): Omit<AuditEntry, "at_utc"> {
  return { who, from: ctx.facts.client, action, ids: [], result };
}
