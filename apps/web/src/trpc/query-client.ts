/** How long answers count as fresh and what is retried: the live feed reports changes. */
import { MutationCache, QueryCache, QueryClient, defaultShouldDehydrateQuery } from "@tanstack/react-query";
import { TRPCClientError } from "@trpc/client";
import { signInAgain } from "./sign-in-again.ts";

const STALE_MS = 5_000;
const RETRIES = 2;
/** Errors that stay the same however often the request is repeated. */
const FINAL_CODES = new Set([
  "UNAUTHORIZED",
  "FORBIDDEN",
  "NOT_FOUND",
  "BAD_REQUEST",
  "METHOD_NOT_SUPPORTED",
]);

export function makeQueryClient(): QueryClient {
  const onError = (error: Error) => {
    if (
      typeof window !== "undefined" &&
      codeOf(error) === "UNAUTHORIZED" &&
      window.location.pathname !== "/login"
    )
      signInAgain();
  };
  return new QueryClient({
    queryCache: new QueryCache({ onError }),
    mutationCache: new MutationCache({ onError }),
    defaultOptions: {
      queries: {
        staleTime: STALE_MS,
        refetchOnWindowFocus: true,
        retry: (failures, error) => failures < RETRIES && !FINAL_CODES.has(codeOf(error) ?? ""),
      },
      dehydrate: { shouldDehydrateQuery: defaultShouldDehydrateQuery },
    },
  });
}

/** tRPC's code of an error ("UNAUTHORIZED" …), or undefined for a failed connection. */
export function codeOf(error: unknown): string | undefined {
  if (!(error instanceof TRPCClientError)) return undefined;
  const data: unknown = error.data;
  return typeof data === "object" && data !== null && "code" in data ? String(data.code) : undefined;
}
