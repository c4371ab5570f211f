"use client";
/** Shows the result of a query: reserves space while it loads, and explains a failure with a way to retry. */
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
  /** The subject of the error message, such as "The list" in "The list could not be read". */
  what: string;
  /** The expected number of lines. */
  lines?: number;
  children: (data: T) => ReactNode;
}) {
  // Data that was loaded before stays, even if the last attempt failed: the banner shows its age.
  if (query.data !== undefined) return children(query.data);
  if (!query.isError) return <Loading lines={lines} />;
  return (
    <Failure
      title={`${what} could not be read`}
      detail={
        codeOf(query.error) === "SERVICE_UNAVAILABLE"
          ? "Redis is not reachable; the page updates when it is back."
          : (query.error?.message ?? "")
      }
      action={<Button onClick={() => query.refetch()}>Try again</Button>}
    />
  );
}
