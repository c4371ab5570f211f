"use client";
/**
 * Is the data safe? One sentence, first on the page. It is evaluated again in the browser, because the data becomes
 * stale.
 */
import { CircleAlert, CircleCheck, CircleHelp, ShieldAlert, TrendingDown, TrendingUp } from "lucide-react";
import { plural } from "@sluice/control/units";
import { verdictOf, type VerdictState } from "@sluice/control/verdict";
import { useLive } from "../live/live-context.tsx";
import type { Overview } from "../server/overview/overview.ts";
import { useNow } from "../ui/clock.ts";

export const VERDICT_LOOKS: Record<VerdictState, { icon: typeof CircleCheck; tone: string }> = {
  safe: { icon: CircleCheck, tone: "text-good" },
  catching_up: { icon: TrendingUp, tone: "text-warn" },
  falling_behind: { icon: TrendingDown, tone: "text-bad" },
  stopped: { icon: ShieldAlert, tone: "text-bad" },
  unknown: { icon: CircleHelp, tone: "text-bad" },
};

/** `readAt`: when the browser received it, ms since 1970. */
export function Verdict({ overview, readAt }: { overview: Overview; readAt: number }) {
  const { latest } = useLive();
  const age = Math.max(0, useNow() - readAt);
  const verdict = verdictOf(overview.risk, {
    // Ages are relative to the server's clock.
    nowMs: overview.at + age,
    dataAgeMs: age,
    away: awayBecause(overview, latest.redis),
  });
  const bad = overview.attention.filter((item) => item.weight === "bad").length;
  const notes = overview.attention.length - bad;
  const noted = verdict.state === "safe" && overview.attention.length > 0;
  const look = noted ? { icon: CircleAlert, tone: "text-warn" } : VERDICT_LOOKS[verdict.state];
  const Icon = look.icon;
  const more =
    verdict.state !== "safe"
      ? ""
      : bad > 0
        ? `, but ${plural(bad, "problem needs", "problems need")} attention`
        : notes > 0
          ? `, with ${plural(notes, "note")}`
          : "";
  return (
    <div className="flex items-start gap-3" data-verdict={verdict.state}>
      <Icon aria-hidden className={`mt-0.5 size-7 shrink-0 ${look.tone}`} />
      <div className="min-w-0">
        <h1 className="text-xl" suppressHydrationWarning>
          {verdict.title}
          {more}
        </h1>
        <p className="text-sm text-muted [overflow-wrap:anywhere]" suppressHydrationWarning>
          {verdict.because}
        </p>
      </div>
    </div>
  );
}

function awayBecause({ filling }: Overview, redis: "ok" | "away"): string | undefined {
  if (redis === "away") return "Redis is not reachable: this page shows the last known state.";
  return filling ? "The streams are still being read; the numbers below are incomplete." : undefined;
}
