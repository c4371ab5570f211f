"use client";
/** Waits for the workers' answer to a request. */
import { useQuery } from "@tanstack/react-query";
import { useTRPC } from "../trpc/client.tsx";

const LOOK_EVERY_MS = 500;

export function useAnswer(id: string | undefined) {
  const trpc = useTRPC();
  return useQuery(
    trpc.requests.get.queryOptions(
      { id: id ?? "" },
      {
        enabled: id !== undefined,
        refetchInterval: (query) => (query.state.data?.state === "settled" ? false : LOOK_EVERY_MS),
      },
    ),
  );
}
