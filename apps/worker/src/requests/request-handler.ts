/**
 * Handles the requests of the dashboard and the command line until the worker ends. A request stays open until the
 * owner of its stream, or another worker that may act, has answered it. It is checked when it arrives, at start, after
 * every takeover, and regularly in between, always from what Redis holds.
 */
import { CheckpointError, type Clock } from "@sluice/core";
import { FEED_START, type RedisClient, type RequestQueue } from "@sluice/redis-schema";
import type { RequestDesk } from "./request-desk.ts";

export interface RequestDeps {
  queue: Pick<RequestQueue, "next">;
  /** A connection of its own, because it blocks. */
  blocking: RedisClient;
  desk: Pick<RequestDesk, "sweep" | "take" | "work">;
  clock: Clock;
}

const BLOCK_MS = 2_000;

export async function handleRequests(deps: RequestDeps, signal: AbortSignal): Promise<void> {
  const { queue, blocking, desk, clock } = deps;
  while (!signal.aborted) {
    try {
      // From the newest request it saw: a later one ends the wait, whatever happened to the queue before.
      const newest = (await desk.sweep()) ?? FEED_START;
      desk.work();
      const { requests } = await queue.next(blocking, newest, BLOCK_MS);
      for (const queued of requests) desk.take(queued);
      desk.work();
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof CheckpointError)) throw error;
      // Redis is unavailable; requests that are filed meanwhile are read afterwards.
      await clock.sleep(1_000, signal);
    }
  }
}
