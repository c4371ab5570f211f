"use client";
/**
 * The results of a plan, item by item, while it runs and afterwards; read from Redis, so they are the same in any tab.
 */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { CircleCheck, CircleX, Hourglass, ShieldQuestion, type LucideIcon } from "lucide-react";
import { useEffect } from "react";
import { formatCount, plural } from "@sluice/control/units";
import { useTRPC } from "../trpc/client.tsx";
import { Button } from "../ui/button.tsx";
import { Failure, Loading } from "../ui/states.tsx";
import { VisibleName } from "../ui/visible-name.tsx";
import { ACTION_WORDS } from "@sluice/control/words";
import { MAX_SHOWN_RESULTS, type PlanProgress } from "./plan-view.ts";

const LOOK_EVERY_MS = 500;

export function PlanResults({ token }: { token: string }) {
  const trpc = useTRPC();
  const queries = useQueryClient();
  const progress = useQuery(
    trpc.actions.progress.queryOptions(
      { token },
      { refetchInterval: (query) => (isSettled(query.state.data?.state) ? false : LOOK_EVERY_MS) },
    ),
  );
  const state = progress.data?.state;
  useEffect(() => {
    // Lists on the page behind the dialog must show the changes.
    if (state === "finished") void queries.invalidateQueries({ queryKey: trpc.streams.pathKey() });
  }, [state, queries, trpc]);
  if (progress.isError)
    return <Failure title="The results could not be read" detail={progress.error.message} />;
  if (progress.data === undefined) return <Loading lines={3} />;
  return <Results progress={progress.data} />;
}

/** No more results will come. */
function isSettled(state: PlanProgress["state"] | undefined): boolean {
  return state === "finished" || state === "interrupted";
}

const LOOKS: Record<
  PlanProgress["results"][number]["result"],
  { icon: LucideIcon; tone: string; word: string }
> = {
  done: { icon: CircleCheck, tone: "text-good", word: "done" },
  refused: { icon: ShieldQuestion, tone: "text-warn", word: "refused" },
  failed: { icon: CircleX, tone: "text-bad", word: "failed" },
  waiting: { icon: Hourglass, tone: "text-muted", word: "waiting" },
};

function Results({ progress }: { progress: PlanProgress }) {
  const { items, done, refused, failed, waiting } = progress;
  const settled = items - waiting;
  return (
    <div className="flex flex-col gap-3 text-sm">
      <p role="status" className="num font-medium">
        {sentence(progress)}
      </p>
      <div
        role="progressbar"
        aria-label="Settled items"
        aria-valuemin={0}
        aria-valuemax={items}
        aria-valuenow={settled}
        className="flex h-1.5 overflow-hidden rounded-full bg-part-disk/45"
      >
        <span className="bg-good" style={{ width: `${(done / items) * 100}%` }} />
        <span className="bg-warn" style={{ width: `${(refused / items) * 100}%` }} />
        <span className="bg-bad" style={{ width: `${(failed / items) * 100}%` }} />
      </div>
      {progress.state === "interrupted" && <ResumePlan token={progress.token} />}
      <ul
        tabIndex={0}
        aria-label="Result of each item"
        className="max-h-72 divide-y divide-line overflow-y-auto rounded-lg border border-line px-3"
      >
        {progress.results.map((item) => {
          const { icon: Icon, tone, word } = LOOKS[item.result];
          return (
            <li key={item.id} className="flex items-start gap-2 py-1.5" data-result={item.result}>
              <Icon aria-hidden className={`mt-0.5 size-4 shrink-0 ${tone}`} />
              <span className="min-w-0 flex-1">
                <VisibleName text={item.name} />
                {item.detail && (
                  <span className="block text-xs text-muted [overflow-wrap:anywhere]">{item.detail}</span>
                )}
              </span>
              <span className={tone}>{word}</span>
            </li>
          );
        })}
        {items > MAX_SHOWN_RESULTS && (
          <li className="num py-1.5 text-muted">{formatCount(items - MAX_SHOWN_RESULTS)} more, not shown</li>
        )}
      </ul>
    </div>
  );
}

function sentence({ state, action, items, done, refused, failed, waiting }: PlanProgress): string {
  const verb = ACTION_WORDS[action].done;
  const parts = [`${formatCount(done)} of ${plural(items, "item")} ${verb}`];
  if (refused > 0) parts.push(`${formatCount(refused)} refused`);
  if (failed > 0) parts.push(`${formatCount(failed)} failed`);
  if (state === "running") parts.push(`${formatCount(waiting)} waiting for a worker or their turn`);
  if (state === "interrupted") parts.push("interrupted");
  return parts.join(" · ");
}

/** The process that carried it out ended, or Redis was unavailable: the same plan resumes where it stopped. */
function ResumePlan({ token }: { token: string }) {
  const trpc = useTRPC();
  const queries = useQueryClient();
  const resume = useMutation(
    trpc.actions.resume.mutationOptions({
      onSuccess: () => queries.invalidateQueries({ queryKey: trpc.actions.progress.queryKey({ token }) }),
    }),
  );
  return (
    <Failure
      title="It was interrupted"
      detail={
        resume.isError ? resume.error.message : "Finished items stay finished; the others were not changed."
      }
      action={
        <Button size="small" onClick={() => resume.mutate({ token })}>
          Resume
        </Button>
      }
    />
  );
}
