/**
 * What the dashboard and the command line ask for, until the worker ends. A request stays open until the owner of its
 * stream, or whoever may act, has answered it: it is looked at when it comes, at start, after every takeover, and again
 * and again in between, from what Redis holds.
 */
import { CheckpointError, type Clock } from "@sluice/core";
import { FEED_START, type RedisClient, type RequestQueue } from "@sluice/redis-schema";
import type { RequestDesk } from "./request-desk.ts";

export interface RequestDeps {
  queue: Pick<RequestQueue, "next">;
  /** A connection of its own: it blocks. */
  blocking: RedisClient;
  desk: Pick<RequestDesk, "sweep" | "take" | "work">;
  clock: Clock;
}

const BLOCK_MS = 2_000;

export async function handleRequests(deps: RequestDeps, signal: AbortSignal): Promise<void> {
  const { queue, blocking, desk, clock } = deps;
  while (!signal.aborted) {
    try {
      // From the newest of those it saw: an entry that comes later ends the wait, whatever became of the queue before.
      const newest = (await desk.sweep()) ?? FEED_START;
      desk.work();
      const { requests } = await queue.next(blocking, newest, BLOCK_MS);
      for (const queued of requests) desk.take(queued);
      desk.work();
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof CheckpointError)) throw error;
      // Redis is away; what was asked meanwhile is read when it is back.
      await clock.sleep(1_000, signal);
    }
  }
}
