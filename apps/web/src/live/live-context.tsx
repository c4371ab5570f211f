"use client";
/**
 * The live feed for a page: passes changed rows to listeners, refreshes what else may have changed, and always knows
 * how old the page is. While paused, the page does not change; resuming loads everything again.
 */
import { useQueryClient } from "@tanstack/react-query";
import { createContext, use, useCallback, useEffect, useMemo, useRef, useState, type ReactNode } from "react";
import { useTRPC, useTRPCClient } from "../trpc/client.tsx";
import { connectLive, type Listen, type Phase } from "./connection.ts";
import { listenAndComeBack } from "./listen.ts";
import type { LiveBatch } from "./live-batch.ts";

export type Listener = (batch: LiveBatch) => void;

interface Live {
  phase: Phase;
  paused: boolean;
  setPaused(paused: boolean): void;
  /** When the server last reported that Redis is available, in ms since 1970 on the browser's clock. */
  heardAt: number;
  /** The last batch; at first, the one the page was rendered with. */
  latest: LiveBatch;
  subscribe(listener: Listener): () => void;
}

const LiveContext = createContext<Live | undefined>(undefined);

export function LiveProvider({ first, children }: { first: LiveBatch; children: ReactNode }) {
  const trpc = useTRPCClient();
  const queries = useQueryClient();
  const overviewKey = useRef(useTRPC().overview.get.queryKey());
  const demoKey = useRef(useTRPC().demo.state.queryKey());
  const [phase, setPhase] = useState<Phase>("connecting");
  const [paused, setPausedState] = useState(false);
  const [latest, setLatest] = useState(first);
  // The page itself is the first message, so silence is counted from there.
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
        // Changes between the rendering of the page and the subscription reached nobody here.
        if (!pausedNow.current) void queries.invalidateQueries();
      },
      onBatch(batch) {
        if (pausedNow.current) return;
        setLatest(batch);
        // Without Redis the server still sends batches, but they contain no new data.
        if (batch.redis === "ok") setHeardAt(Date.now());
        if (batch.overview !== undefined) queries.setQueryData(overviewKey.current, batch.overview);
        if (batch.demo !== undefined) queries.setQueryData(demoKey.current, batch.demo);
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
  if (value === undefined) throw new Error("useLive is used outside LiveProvider");
  return value;
}

/** Calls the latest `listener` with every batch while mounted. */
export function useLiveBatches(listener: Listener): void {
  const { subscribe } = useLive();
  const current = useRef(listener);
  useEffect(() => {
    current.current = listener;
  }, [listener]);
  useEffect(() => subscribe((batch) => current.current(batch)), [subscribe]);
}

/**
 * Runs `refresh` if a batch passes `concerns`, at once and then at most once per `everyMs`; the last call is never
 * lost.
 */
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
