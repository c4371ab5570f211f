"use client";
/** Shows whether the page is Live, Paused, Reconnecting, or how stale; and pauses it. */
import { Pause, Play, Radio, RefreshCw, WifiOff } from "lucide-react";
import { formatDuration } from "@sluice/control/units";
import { useNow } from "../ui/clock.ts";
import { STALE_AFTER_MS } from "./live-batch.ts";
import { useLive } from "./live-context.tsx";

export function LiveChip() {
  const { phase, paused, setPaused, heardAt } = useLive();
  const now = useNow();
  const age = now - heardAt;
  const stale = age > STALE_AFTER_MS;
  const look = paused
    ? { word: "Paused", tone: "text-warn", icon: Pause }
    : stale
      ? { word: `Stale ${formatDuration(age)}`, tone: "text-bad", icon: WifiOff }
      : phase === "live"
        ? { word: "Live", tone: "text-good", icon: Radio }
        : phase === "lost"
          ? { word: "Reconnecting", tone: "text-warn", icon: RefreshCw }
          : { word: "Connecting", tone: "text-muted", icon: RefreshCw };
  const Icon = look.icon;
  const Toggle = paused ? Play : Pause;
  return (
    <button
      type="button"
      aria-pressed={paused}
      onClick={() => setPaused(!paused)}
      title={paused ? "Resume live updates" : "Pause live updates"}
      className="inline-flex min-h-8.5 items-center gap-1.5 rounded-md border border-line px-2.5 text-sm hover:bg-sunken"
    >
      <Icon aria-hidden className={`size-4 ${look.tone}`} />
      <span className={`num font-medium max-xs:hidden ${look.tone}`} data-live={look.word.split(" ")[0]}>
        {look.word}
      </span>
      <span className="heard">{paused ? "Resume live updates" : "Pause live updates"}</span>
      <Toggle aria-hidden className="ml-1 size-3.5 text-muted max-xs:hidden" />
    </button>
  );
}
