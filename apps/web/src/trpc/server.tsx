/** Reads for a page while it is made: the first paint has its data, and the browser does not ask again. */
import {
  dehydrate,
  HydrationBoundary,
  type FetchQueryOptions,
  type QueryClient,
} from "@tanstack/react-query";
import { createTRPCOptionsProxy, type TRPCOptionsProxy } from "@trpc/tanstack-react-query";
import { headers } from "next/headers";
import type { ReactNode } from "react";
import { server } from "../server/shared-server.ts";
import type { AppRouter } from "../server/router.ts";
import { makeQueryClient } from "./query-client.ts";

/**
 * Asks what `ask` names and hands the answers to the components below. A question that fails is asked again by the
 * browser, which shows why.
 */
export async function Prefetched({
  ask,
  children,
}: {
  ask: (trpc: TRPCOptionsProxy<AppRouter>, fetch: Fetch) => readonly Promise<void>[];
  children: ReactNode;
}) {
  const queryClient: QueryClient = makeQueryClient();
  const { router, pageContext } = server();
  const trpc = createTRPCOptionsProxy({ ctx: pageContext(await headers()), router, queryClient });
  await Promise.all(
    ask(trpc, (options) => queryClient.prefetchQuery({ ...options, retry: false } as FetchQueryOptions)),
  );
  return <HydrationBoundary state={dehydrate(queryClient)}>{children}</HydrationBoundary>;
}

/** `queryOptions()` of any procedure. */
type Fetch = (options: { queryKey: readonly unknown[] }) => Promise<void>;
