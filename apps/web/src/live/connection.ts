/**
 * One live connection per browser. With Web Locks, the tab that holds the lock listens to the server and passes events
 * to the others over a BroadcastChannel. On plain HTTP, where there are no locks, each visible tab listens for itself
 * and a hidden one closes its connection, because a browser has only six per origin.
 */
import type { LiveBatch } from "./live-batch.ts";

export type Phase = "connecting" | "live" | "lost";

export interface LiveEvents {
  onBatch(batch: LiveBatch): void;
  onPhase(phase: Phase): void;
}

/** Opens the subscription; returns a function that ends it. */
export type Listen = (events: LiveEvents) => () => void;

type Message = { kind: "batch"; batch: LiveBatch } | { kind: "phase"; phase: Phase } | { kind: "hello" };

const NAME = "sluice-live";

/** Runs until the returned function is called. */
export function connectLive(listen: Listen, events: LiveEvents): () => void {
  return "locks" in navigator ? shareOne(listen, events) : whileVisible(listen, events);
}

function shareOne(listen: Listen, events: LiveEvents): () => void {
  const channel = new BroadcastChannel(NAME);
  const ended = new AbortController();
  let phase: Phase | undefined;
  const post = (message: Message) => channel.postMessage(message);
  channel.addEventListener("message", ({ data }: MessageEvent<Message>) => {
    if (data.kind === "batch") events.onBatch(data.batch);
    else if (data.kind === "phase") events.onPhase(data.phase);
    // A new tab gets the current state at once.
    else if (phase !== undefined) post({ kind: "phase", phase });
  });
  post({ kind: "hello" });
  const lead = () =>
    new Promise<void>((resolve) => {
      const stop = listen({
        onBatch(batch) {
          events.onBatch(batch);
          post({ kind: "batch", batch });
        },
        onPhase(next) {
          phase = next;
          events.onPhase(next);
          post({ kind: "phase", phase: next });
        },
      });
      ended.signal.addEventListener("abort", () => {
        stop();
        resolve();
      });
    });
  navigator.locks.request(NAME, { signal: ended.signal }, lead).catch((error: unknown) => {
    // Aborted before the lock was acquired: nothing to release.
    if (!ended.signal.aborted) throw error;
  });
  return () => {
    ended.abort();
    channel.close();
  };
}

function whileVisible(listen: Listen, events: LiveEvents): () => void {
  let stop: (() => void) | undefined;
  const follow = () => {
    if (document.visibilityState === "visible") stop ??= listen(events);
    else {
      stop?.();
      stop = undefined;
    }
  };
  document.addEventListener("visibilitychange", follow);
  follow();
  return () => {
    document.removeEventListener("visibilitychange", follow);
    stop?.();
  };
}
