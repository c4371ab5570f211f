"use client";
/** A view of what a query brings: its place is kept while it loads, and a failure says why and how to try again. */
import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { codeOf } from "../trpc/query-client.ts";
import { Button } from "./button.tsx";
import { Failure, Loading } from "./states.tsx";

type Query<T> = Pick<UseQueryResult<T, { message: string }>, "data" | "isError" | "error"> & {
  refetch: () => unknown;
};

export function Answered<T>({
  query,
  what,
  lines = 6,
  children,
}: {
  query: Query<T>;
  /** "The list": for "The list could not be read". */
  what: string;
  /** As many as the content is expected to have. */
  lines?: number;
  children: (data: T) => ReactNode;
}) {
  // What was read before stays, whatever the last attempt said: the banner tells how old it is.
  if (query.data !== undefined) return children(query.data);
  if (!query.isError) return <Loading lines={lines} />;
  return (
    <Failure
      title={`${what} could not be read`}
      detail={
        codeOf(query.error) === "SERVICE_UNAVAILABLE"
          ? "Redis is not reachable; this heals by itself."
          : (query.error?.message ?? "")
      }
      action={<Button onClick={() => query.refetch()}>Try again</Button>}
    />
  );
}
