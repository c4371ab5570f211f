"use client";
/**
 * The live feed for a page: brings changed rows to whoever listens, refreshes what else may have changed, and always
 * knows how old the picture is. Paused, the picture stands still; going on again asks for everything anew.
 */
import { useQueryClient } from "@tanstack/react-query";
import { createContext, use, useCallback, useEffect, useMemo, useRef, useState, type ReactNode } from "react";
import { useTRPCClient } from "../trpc/client.tsx";
import { connectLive, type Listen, type Phase } from "./connection.ts";
import { listenAndComeBack } from "./listen.ts";
import type { LiveBatch } from "./live-batch.ts";

export type Listener = (batch: LiveBatch) => void;

interface Live {
  phase: Phase;
  paused: boolean;
  setPaused(paused: boolean): void;
  /** When the server last told how Redis stands, ms since 1970 by the browser's clock. */
  heardAt: number;
  /** What was last told; at first, what the page was made with. */
  latest: LiveBatch;
  subscribe(listener: Listener): () => void;
}

const LiveContext = createContext<Live | undefined>(undefined);

export function LiveProvider({ first, children }: { first: LiveBatch; children: ReactNode }) {
  const trpc = useTRPCClient();
  const queries = useQueryClient();
  const [phase, setPhase] = useState<Phase>("connecting");
  const [paused, setPausedState] = useState(false);
  const [latest, setLatest] = useState(first);
  // The page itself was the first word: silence counts from there.
  const [heardAt, setHeardAt] = useState(() => Date.now());
  const listeners = useRef(new Set<Listener>());
  const pausedNow = useRef(false);

  useEffect(() => {
    const listen: Listen = (events) => listenAndComeBack(trpc, events);
    let joined = false;
    return connectLive(listen, {
      onPhase(next) {
        setPhase(next);
        if (next !== "live" || joined) return;
        joined = true;
        // What changed between the page's making and its listening was told to nobody here.
        if (!pausedNow.current) void queries.invalidateQueries();
      },
      onBatch(batch) {
        if (pausedNow.current) return;
        setLatest(batch);
        // Without Redis the server speaks, but of nothing new.
        if (batch.redis === "ok") setHeardAt(Date.now());
        if (batch.reset && batch.redis === "ok") void queries.invalidateQueries();
        for (const listener of listeners.current) listener(batch);
      },
    });
  }, [trpc, queries]);

  const setPaused = useCallback(
    (next: boolean) => {
      pausedNow.current = next;
      setPausedState(next);
      if (!next) void queries.invalidateQueries();
    },
    [queries],
  );
  const subscribe = useCallback((listener: Listener) => {
    listeners.current.add(listener);
    return () => void listeners.current.delete(listener);
  }, []);

  const value = useMemo<Live>(
    () => ({ phase, paused, setPaused, heardAt, latest, subscribe }),
    [phase, paused, setPaused, heardAt, latest, subscribe],
  );
  return <LiveContext value={value}>{children}</LiveContext>;
}

export function useLive(): Live {
  const value = use(LiveContext);
  if (value === undefined) throw new Error("useLive stands outside LiveProvider");
  return value;
}

/** Calls back for every batch while mounted; the latest callback counts. */
export function useLiveBatches(listener: Listener): void {
  const { subscribe } = useLive();
  const current = useRef(listener);
  useEffect(() => {
    current.current = listener;
  }, [listener]);
  useEffect(() => subscribe((batch) => current.current(batch)), [subscribe]);
}

/** Runs `refresh` when a batch passes `concerns`, at once and then at most once in `everyMs`; the last one is never lost. */
export function useLiveRefresh(
  concerns: (batch: LiveBatch) => boolean,
  refresh: () => void,
  everyMs: number,
): void {
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const due = useRef(false);
  const refreshNow = useRef(refresh);
  useEffect(() => {
    refreshNow.current = refresh;
  }, [refresh]);
  useEffect(() => () => clearTimeout(timer.current), []);
  useLiveBatches((batch) => {
    if (!concerns(batch)) return;
    if (timer.current !== undefined) {
      due.current = true;
      return;
    }
    const rest = () => {
      timer.current = setTimeout(() => {
        timer.current = undefined;
        if (!due.current) return;
        due.current = false;
        refreshNow.current();
        rest();
      }, everyMs);
    };
    refreshNow.current();
    rest();
  });
}
