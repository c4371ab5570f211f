"use client";
/** What becomes of webhooks: those that wait, the last results, and those that were dropped, which can be sent again. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Send } from "lucide-react";
import Link from "next/link";
import { formatCount, plural } from "@sluice/control/units";
import type { DeliveryResult } from "@sluice/redis-schema/records/delivery";
import type { WebhookPage } from "../server/webhook-page.ts";
import { useWriteObstacle } from "../shell/session-context.tsx";
import { useTRPC } from "../trpc/client.tsx";
import { Answered } from "../ui/answered.tsx";
import { Button } from "../ui/button.tsx";
import { Card } from "../ui/card.tsx";
import { PageTitle } from "../ui/page-title.tsx";
import { Empty } from "../ui/states.tsx";
import { Cell, Row, Table } from "../ui/table.tsx";
import { Time } from "../ui/time.tsx";
import { VisibleName } from "../ui/visible-name.tsx";

const AT_LEAST_EVERY_MS = 10_000;

export function WebhooksView() {
  const trpc = useTRPC();
  const page = useQuery(trpc.webhooks.get.queryOptions(undefined, { refetchInterval: AT_LEAST_EVERY_MS }));
  return (
    <>
      <PageTitle title="Webhooks">
        Delivered at least once, oldest first for each stream, by one worker at a time.
      </PageTitle>
      <Answered query={page} what="The list of webhooks" lines={8}>
        {(data) => (
          <div className="flex flex-col gap-4">
            <Dropped messages={data.dropped} />
            <Waiting {...data} />
            <Results results={data.results} />
          </div>
        )}
      </Answered>
    </>
  );
}

/** A stream has its page; of a worker or a watch the subject is a sentence. */
function Subject({ event, subject }: { event: string; subject: string }) {
  if (event.includes(".")) return <VisibleName text={subject} className="text-muted" />;
  return (
    <Link
      href={`/streams/${encodeURIComponent(subject)}`}
      className="inline-block min-h-6 underline decoration-line-strong underline-offset-2 hover:text-accent"
    >
      <VisibleName text={subject} />
    </Link>
  );
}

/** What happened, and to what. */
function About({ event, subject }: { event: string; subject: string }) {
  return (
    <>
      <Cell className="font-medium">{event}</Cell>
      <Cell className="max-md:order-last max-md:col-span-2">
        <Subject event={event} subject={subject} />
      </Cell>
    </>
  );
}

const DROPPED_GRID =
  "grid grid-cols-[minmax(0,1fr)_auto] items-center gap-x-5 gap-y-0.5 md:grid-cols-[9rem_minmax(0,1fr)_9rem_6rem]";
const DROPPED_COLUMNS = [
  { name: "Event" },
  { name: "About" },
  { name: "Dropped" },
  { name: "Send again", silent: true },
] as const;

function Dropped({ messages }: { messages: WebhookPage["dropped"] }) {
  const trpc = useTRPC();
  const queries = useQueryClient();
  const blocked = useWriteObstacle();
  const retry = useMutation(
    trpc.webhooks.retry.mutationOptions({
      onSettled: () => queries.invalidateQueries({ queryKey: trpc.webhooks.get.queryKey() }),
    }),
  );
  return (
    <Card title="Not delivered" flush>
      {retry.isError && <p className="px-4 pb-2 text-sm text-bad">{retry.error.message}</p>}
      {messages.length === 0 ? (
        <p className="px-4 pb-4 text-sm text-muted">No message was dropped.</p>
      ) : (
        <Table label="Not delivered" columns={DROPPED_COLUMNS} grid={DROPPED_GRID}>
          {messages.map(({ position, event, subject, dropped_at }) => (
            <Row key={position} grid={DROPPED_GRID} className="py-2">
              <About event={event} subject={subject} />
              <Cell className="max-md:hidden">
                <Time at={dropped_at} />
              </Cell>
              <Cell className="text-right">
                <Button
                  size="small"
                  unavailable={blocked}
                  aria-busy={retry.isPending}
                  onClick={() => retry.mutate({ position })}
                >
                  Retry
                  <span className="heard">
                    {" "}
                    {event} of {subject}
                  </span>
                </Button>
              </Cell>
            </Row>
          ))}
        </Table>
      )}
    </Card>
  );
}

const GRID = "grid grid-cols-[minmax(0,1fr)_auto] gap-x-5 gap-y-0.5 md:grid-cols-[9rem_minmax(0,1fr)_9rem]";
const WAITING_COLUMNS = [{ name: "Event" }, { name: "About" }, { name: "Since" }] as const;

function Waiting({ waiting, oldest }: Pick<WebhookPage, "waiting" | "oldest">) {
  return (
    <Card title={waiting === 0 ? "Waiting" : `Waiting: ${formatCount(waiting)}`} flush>
      {oldest.length === 0 ? (
        <p className="px-4 pb-4 text-sm text-muted">Nothing waits.</p>
      ) : (
        <Table label="Waiting" columns={WAITING_COLUMNS} grid={GRID}>
          {oldest.map(({ id, event, subject, at }) => (
            <Row key={id} grid={GRID} className="py-2">
              <About event={event} subject={subject} />
              <Cell className="max-md:text-right">
                <Time at={at} />
              </Cell>
            </Row>
          ))}
        </Table>
      )}
    </Card>
  );
}

const RESULT_WORDS: Readonly<Record<DeliveryResult, { word: string; tone: string }>> = {
  delivered: { word: "Delivered", tone: "text-good" },
  failed: { word: "Not accepted", tone: "text-warn" },
  expired: { word: "Dropped", tone: "text-bad" },
};
const RESULT_GRID =
  "grid grid-cols-[minmax(0,1fr)_auto] gap-x-5 gap-y-0.5 md:grid-cols-[9rem_minmax(0,1fr)_minmax(0,1.5fr)_9rem]";
const RESULT_COLUMNS = [{ name: "Event" }, { name: "About" }, { name: "Result" }, { name: "When" }] as const;

function Results({ results }: { results: WebhookPage["results"] }) {
  return (
    <Card title="Last results" flush>
      {results.length === 0 ? (
        <Empty icon={Send} title="No webhook was sent yet">
          Set SLUICE_WEBHOOK_URL to be notified of streams and workers.
        </Empty>
      ) : (
        <Table label="Last results" columns={RESULT_COLUMNS} grid={RESULT_GRID}>
          {results.map(({ id, event, subject, result, detail, failures, at }) => (
            <Row key={`${id} ${result} ${at}`} grid={RESULT_GRID} className="py-2" data-result={result}>
              <Cell className="font-medium">{event}</Cell>
              <Cell className="max-md:order-3 max-md:col-span-2">
                <Subject event={event} subject={subject} />
              </Cell>
              <Cell className="max-md:order-4 max-md:col-span-2">
                <span className={RESULT_WORDS[result].tone}>{RESULT_WORDS[result].word}</span>
                {failures > 0 && ` after ${plural(failures, "failed attempt")}`}
                {detail !== undefined && (
                  <>
                    : <VisibleName text={detail} />
                  </>
                )}
              </Cell>
              <Cell className="max-md:text-right">
                <Time at={at} />
              </Cell>
            </Row>
          ))}
        </Table>
      )}
    </Card>
  );
}
