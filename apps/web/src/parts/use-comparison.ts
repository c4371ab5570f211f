"use client";
/** Asks a worker what S3 has of a stream, and waits for the result. */
import { useMutation, useQuery } from "@tanstack/react-query";
import { useTRPC } from "../trpc/client.tsx";
import type { Comparison } from "./compare-parts.ts";

const LOOK_EVERY_MS = 500;

export function useComparison(id: string): {
  comparison: Comparison | undefined;
  compare: () => void;
  asking: boolean;
} {
  const trpc = useTRPC();
  const ask = useMutation(trpc.streams.compare.mutationOptions());
  const request = ask.data?.id;
  const found = useQuery(
    trpc.streams.comparison.queryOptions(
      { id, request: request ?? "" },
      {
        enabled: request !== undefined,
        refetchInterval: ({ state }) =>
          (state.data?.kind ?? "waiting") === "waiting" ? LOOK_EVERY_MS : false,
      },
    ),
  );
  const failed = ask.error ?? found.error;
  const comparison: Comparison | undefined = failed
    ? { kind: "refused", detail: failed.message }
    : request === undefined
      ? undefined
      : (found.data ?? { kind: "waiting" });
  return {
    comparison,
    compare: () => ask.mutate({ id }),
    asking: ask.isPending || comparison?.kind === "waiting",
  };
}
