/** Loads data while a page is rendered: the first paint has it, and the browser does not load it again. */
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
 * Runs the queries in `ask` and passes the results to the components below. A query that fails is repeated by the
 * browser, which shows the reason.
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
