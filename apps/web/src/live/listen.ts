"use client";
/** Listens to the feed and reconnects whenever it ends, with the last entry it saw, so that nothing is missed. */
import type { useTRPCClient } from "../trpc/client.tsx";
import { signInAgain } from "../trpc/sign-in-again.ts";
import { codeOf } from "../trpc/query-client.ts";
import type { LiveEvents } from "./connection.ts";
import type { LiveBatch } from "./live-batch.ts";

const COME_BACK_MS = 1_500;
/** Too many windows are open: the window that replaced this one is not replaced again at once. */
const COME_BACK_TO_MANY_MS = 60_000;

/** Returns a function that ends it. */
export function listenAndComeBack(trpc: ReturnType<typeof useTRPCClient>, events: LiveEvents): () => void {
  let lastEventId: string | undefined;
  let ended = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let subscription = listen();

  function listen() {
    return trpc.live.feed.subscribe(lastEventId === undefined ? undefined : { lastEventId }, {
      onData(message) {
        lastEventId = message.id;
        events.onBatch(message.data);
      },
      onConnectionStateChange({ state, error }) {
        if (error?.data?.why === "redis_away") events.onBatch(redisAway());
        if (state !== "idle") events.onPhase(state === "pending" ? "live" : "connecting");
      },
      onError(error) {
        if (codeOf(error) === "UNAUTHORIZED") signInAgain();
        else comeBack(codeOf(error) === "TOO_MANY_REQUESTS" ? COME_BACK_TO_MANY_MS : COME_BACK_MS);
      },
      onComplete: () => comeBack(COME_BACK_MS),
    });
  }

  /** The server answers, but cannot look up the session. */
  function redisAway(): LiveBatch {
    return { at: Date.now(), reset: false, redis: "away", rows: [], gone: [], others: false };
  }

  function comeBack(afterMs: number) {
    if (ended) return;
    events.onPhase("lost");
    clearTimeout(timer);
    timer = setTimeout(() => {
      subscription.unsubscribe();
      subscription = listen();
    }, afterMs);
  }

  return () => {
    ended = true;
    clearTimeout(timer);
    subscription.unsubscribe();
  };
}
