"use client";
/** Listens to the feed and comes back whenever it ends, with the last entry it saw, so that nothing is missed. */
import type { useTRPCClient } from "../trpc/client.tsx";
import { signInAgain } from "../trpc/sign-in-again.ts";
import { codeOf } from "../trpc/query-client.ts";
import type { LiveEvents } from "./connection.ts";

const COME_BACK_MS = 1_500;

/** Returns how to end it. */
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
      onConnectionStateChange({ state }) {
        if (state !== "idle") events.onPhase(state === "pending" ? "live" : "connecting");
      },
      onError(error) {
        if (codeOf(error) === "UNAUTHORIZED") signInAgain();
        else comeBack();
      },
      onComplete: comeBack,
    });
  }

  function comeBack() {
    if (ended) return;
    events.onPhase("lost");
    clearTimeout(timer);
    timer = setTimeout(() => {
      subscription.unsubscribe();
      subscription = listen();
    }, COME_BACK_MS);
  }

  return () => {
    ended = true;
    clearTimeout(timer);
    subscription.unsubscribe();
  };
}
