/** The live feed. A browser that reconnects sends the last entry it saw and gets what came after. */
import { CheckpointError } from "@sluice/core/errors";
import { tracked, TRPCError } from "@trpc/server";
import { z } from "zod";
import { BATCH_EVERY_MS, DEMO_HEARTBEAT_MS, HEARTBEAT_MS, OVERVIEW_EVERY_MS } from "../../live/live-batch.ts";
import type { RequestContext } from "../context.ts";
import type { Hub } from "../hub.ts";
import { batchOf, demoOrNothing, NO_CHANGE, overviewOrNothing } from "../live-batch.ts";
import { pause, type Change } from "../read-model/read-model.ts";
import { router, viewerProcedure } from "../trpc.ts";

export const liveRouter = router({
  feed: viewerProcedure
    .input(z.object({ lastEventId: z.string().max(64).nullish() }).optional())
    .subscription(async function* ({ ctx, input, signal }) {
      const { hub } = ctx;
      const access = await ctx.access();
      // Without sessions, a user counts as one.
      const seat = hub.seats.take((access.kind === "granted" ? access.session : undefined) ?? ctx.user);
      const ended = AbortSignal.any([...(signal === undefined ? [] : [signal]), hub.drain.signal, seat.lost]);
      const pending = new Pending();
      const stopListening = hub.model.onChange((change) => pending.add(change));
      try {
        pending.add(await missedSince(hub, input?.lastEventId ?? undefined));
        let overviewAt = 0;
        const heartbeatMs = ctx.settings.demo ? DEMO_HEARTBEAT_MS : HEARTBEAT_MS;
        while (!ended.aborted) {
          if (!(await stillSignedIn(ctx)))
            throw new TRPCError({ code: "UNAUTHORIZED", message: "sign in first" });
          const batch = await batchOf(hub, pending.take());
          if (batch.redis === "ok" && Date.now() - overviewAt >= OVERVIEW_EVERY_MS) {
            const overview = await overviewOrNothing(hub);
            if (overview !== undefined) batch.overview = overview;
            overviewAt = Date.now();
          }
          if (batch.redis === "ok" && ctx.settings.demo) {
            const demo = await demoOrNothing(hub);
            if (demo !== undefined) batch.demo = demo;
          }
          yield tracked(hub.model.position, batch);
          // Changes within this time are sent together; if there are none, a heartbeat is sent.
          await pause(BATCH_EVERY_MS, ended);
          await pending.next(heartbeatMs - BATCH_EVERY_MS, ended);
        }
        if (seat.lost.aborted) {
          const message = "another window opened a live connection, and this was the oldest of too many";
          throw new TRPCError({ code: "TOO_MANY_REQUESTS", message });
        }
        // A normal end would make the browser stop listening; with an error it reconnects, to the restarted server.
        if (hub.drain.signal.aborted) {
          throw new TRPCError({ code: "SERVICE_UNAVAILABLE", message: "the dashboard is being restarted" });
        }
      } finally {
        stopListening();
        seat.leave();
      }
    }),
});

/** Changes waiting to be sent. */
class Pending {
  #change: Change = NO_CHANGE;
  #wake: (() => void) | undefined;

  add(change: Change): void {
    const { reset, changed, others } = this.#change;
    this.#change = {
      reset: reset || change.reset,
      changed: changed.union(change.changed),
      others: others || change.others,
    };
    this.#wake?.();
  }

  take(): Change {
    const taken = this.#change;
    this.#change = NO_CHANGE;
    return taken;
  }

  /** Resolves with the next change, at once if one waits, or when the time is over. */
  async next(ms: number, signal: AbortSignal): Promise<void> {
    const { reset, changed, others } = this.#change;
    if (reset || others || changed.size > 0) return;
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    await pause(ms, AbortSignal.any([signal, woken.signal]));
    this.#wake = undefined;
  }
}

/** What a browser missed: everything if it is new, or if its position in the feed no longer exists. */
async function missedSince(hub: Hub, position: string | undefined): Promise<Change> {
  const all: Change = { reset: true, changed: new Set(), others: true };
  if (position === undefined || !/^\d+-\d+$/.test(position)) return all;
  try {
    const batch = await hub.feed.since(position);
    if (batch.gap) return all;
    const changed = new Set<string>();
    let others = false;
    for (const entry of batch.entries) {
      if (entry.type === "worker" || entry.type === "request") others = true;
      else changed.add(entry.subject);
    }
    return { reset: false, changed, others };
  } catch (error) {
    if (error instanceof CheckpointError) return all;
    throw error;
  }
}

/**
 * A revoked session ends its event stream too. While Redis is unavailable that cannot be checked, and the stream stays.
 */
async function stillSignedIn(ctx: RequestContext): Promise<boolean> {
  const access = await ctx.access();
  if (access.kind !== "granted") return false;
  if (access.session === undefined) return true;
  try {
    return (await ctx.hub.sessions.use(access.session)) !== undefined;
  } catch (error) {
    if (error instanceof CheckpointError) return true;
    throw error;
  }
}
