"use client";
/** One timer for every relative time on the page; it stops while nothing uses it. */
import { useSyncExternalStore } from "react";

const TICK_MS = 1_000;
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;
let now = wholeSecond();

function wholeSecond(): number {
  return Math.floor(Date.now() / TICK_MS) * TICK_MS;
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    now = wholeSecond();
    for (const each of listeners) each();
  }, TICK_MS);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

function read(): number {
  // The value is not updated while the timer is stopped.
  if (timer === undefined) now = wholeSecond();
  return now;
}

/** The browser's clock, in steps of a second, ms since 1970; on the server, the time of rendering. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, read, read);
}
