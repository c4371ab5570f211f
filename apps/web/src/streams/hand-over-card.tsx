"use client";
/** A finished object for others: its names to copy, a link to the store's console, and a download that a worker signs. */
import { useMutation, useQuery } from "@tanstack/react-query";
import { CircleX, Download, ExternalLink, Hourglass } from "lucide-react";
import type { ReactNode } from "react";
import type { ObjectNames } from "@sluice/control/object-address";
import { useWriteObstacle } from "../shell/session-context.tsx";
import { useTRPC } from "../trpc/client.tsx";
import { Button, buttonLook } from "../ui/button.tsx";
import { useNow } from "../ui/clock.ts";
import { CopyButton } from "../ui/copy-button.tsx";
import { Time } from "../ui/time.tsx";
import { VisibleName } from "../ui/visible-name.tsx";

const LOOK_EVERY_MS = 500;
const PATIENCE_MS = 10_000;

export function HandOverCard({ id, object }: { id: string; object: ObjectNames }) {
  return (
    <section
      aria-label="Hand over"
      className="card grid gap-x-6 gap-y-3 px-4 py-3 lg:grid-cols-[minmax(0,1fr)_minmax(0,1fr)]"
    >
      <dl className="grid grid-cols-[auto_minmax(0,1fr)] items-center gap-x-3 gap-y-0.5 self-center text-sm">
        <Name of="S3">
          <VisibleName text={object.uri} />
          <CopyButton text={object.uri} what="S3 URI" />
        </Name>
        {object.address !== undefined && (
          <Name of="Address">
            <span>{object.address}</span>
            <CopyButton text={object.address} what="address" />
          </Name>
        )}
      </dl>
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
        <SignedDownload id={id} />
        {object.console !== undefined && (
          <a
            href={object.console}
            target="_blank"
            rel="noreferrer noopener"
            className="inline-flex min-h-6 items-center gap-1.5 text-sm text-accent hover:underline"
          >
            <ExternalLink aria-hidden className="size-4" /> In the store&apos;s console
          </a>
        )}
      </div>
    </section>
  );
}

function Name({ of, children }: { of: string; children: ReactNode }) {
  return (
    <>
      <dt className="text-muted">{of}</dt>
      <dd className="flex min-w-0 items-center gap-1 [overflow-wrap:anywhere]">{children}</dd>
    </>
  );
}

function SignedDownload({ id }: { id: string }) {
  const trpc = useTRPC();
  const blocked = useWriteObstacle();
  const now = useNow();
  const ask = useMutation(trpc.streams.download.mutationOptions());
  const request = ask.data?.id;
  const answer = useQuery(
    trpc.streams.downloadAddress.queryOptions(
      { id, request: request ?? "" },
      {
        enabled: request !== undefined,
        // The answer is kept for a minute, and says all that there is to say.
        staleTime: Infinity,
        gcTime: 0,
        refetchOnReconnect: false,
        refetchOnWindowFocus: false,
        refetchInterval: ({ state }) =>
          (state.data?.kind ?? "waiting") === "waiting" && state.error === null ? LOOK_EVERY_MS : false,
      },
    ),
  );
  const failed = ask.error ?? answer.error;
  const found = answer.data;
  if (found?.kind === "ready" && Date.parse(found.expires_at_utc) > now)
    return (
      <div role="status" className="flex min-w-0 flex-wrap items-center gap-x-3 gap-y-1 text-sm">
        <a href={found.url} rel="noreferrer noopener" className={buttonLook("primary")}>
          <Download aria-hidden className="size-4" /> Download now
        </a>
        <CopyButton text={found.url} what="download address" />
        <span className="text-muted [overflow-wrap:anywhere]">
          from {found.host}, until <Time at={found.expires_at_utc} />, for everybody who has this address
        </span>
      </div>
    );
  const waits =
    failed === null && request !== undefined && found?.kind !== "refused" && found?.kind !== "ready";
  return (
    <>
      <Button
        unavailable={blocked}
        aria-busy={ask.isPending || waits}
        title="A worker signs an address that is good for five minutes; it is entered in the audit log"
        onClick={() => {
          if (!ask.isPending && !waits) ask.mutate({ id });
        }}
      >
        <Download aria-hidden className="size-4" /> Download
      </Button>
      <p role="status" className="flex min-w-0 items-center gap-2 text-sm [overflow-wrap:anywhere]">
        {failed !== null || found?.kind === "refused" ? (
          <>
            <CircleX aria-hidden className="size-4 shrink-0 text-bad" />
            {failed?.message ?? (found?.kind === "refused" ? found.detail : "")}
          </>
        ) : waits ? (
          <>
            <Hourglass aria-hidden className="size-4 shrink-0 text-muted" />
            {found !== undefined && now - Date.parse(found.asked_at_utc) > PATIENCE_MS
              ? "No worker has answered yet. Is one running?"
              : "A worker signs an address…"}
          </>
        ) : found?.kind === "ready" ? (
          "The address has ended."
        ) : null}
      </p>
    </>
  );
}
