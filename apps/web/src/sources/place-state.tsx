"use client";
/** Whether a source is safe, by the same verdict as the overview; it is judged again in the browser, as data becomes stale. */
import { verdictOf } from "@sluice/control/verdict";
import { useLive } from "../live/live-context.tsx";
import { VERDICT_LOOKS } from "../overview/verdict.tsx";
import type { SourceView } from "../server/sources/places.ts";
import { useNow } from "../ui/clock.ts";

/** When the answer was made, on the server's clock, and when the browser got it. */
export interface Shown {
  at: number;
  readAt: number;
  filling: boolean;
}

export function SourceState({
  source: { risk },
  shown: { at, readAt, filling },
  because = false,
}: {
  source: Pick<SourceView, "risk">;
  shown: Shown;
  /** With the sentence that gives the reason. */
  because?: boolean;
}) {
  const { latest } = useLive();
  const age = Math.max(0, useNow() - readAt);
  const away =
    latest.redis === "away"
      ? "Redis is not reachable: this page shows the last known state."
      : filling
        ? "The streams are still being read."
        : undefined;
  // The page is refreshed less often than the overview.
  const verdict = verdictOf(risk, { nowMs: at + age, dataAgeMs: Math.max(0, age - REFRESHED_MS), away });
  const { icon: Icon, tone } = VERDICT_LOOKS[verdict.state];
  return (
    <>
      <span
        className={`inline-flex items-center gap-1.5 font-medium ${tone}`}
        data-source-verdict={verdict.state}
        suppressHydrationWarning
      >
        <Icon aria-hidden className="size-4 shrink-0" /> {verdict.title}
      </span>
      {because && (
        <span className="block [overflow-wrap:anywhere]" suppressHydrationWarning>
          {verdict.because}
        </span>
      )}
    </>
  );
}

const REFRESHED_MS = 2_000;
