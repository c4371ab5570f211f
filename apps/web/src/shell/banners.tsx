"use client";
/** What is wrong with the system as a whole, above every page; gone by itself when it is mended. */
import { DatabaseZap } from "lucide-react";
import { useLive } from "../live/live-context.tsx";
import { Time } from "../ui/time.tsx";

export function Banners() {
  const { latest, heardAt } = useLive();
  return (
    <div role="status" aria-live="polite">
      {latest?.redis === "away" && (
        <p className="flex items-center gap-2 border-b border-bad/40 bg-bad-soft px-3 py-2 text-sm text-bad sm:px-6">
          <DatabaseZap aria-hidden className="size-4 shrink-0" />
          <span>
            <strong className="font-semibold">Redis is not reachable.</strong> What you see is as of{" "}
            <Time at={heardAt} />; it heals by itself.
          </span>
        </p>
      )}
    </div>
  );
}
