"use client";
/** Problems of the whole system, above every page; they disappear when the problem is over. */
import { BLOCKED_REMEDY } from "@sluice/control/words";
import { DatabaseZap, OctagonAlert, Server, type LucideIcon } from "lucide-react";
import type { ReactNode } from "react";
import { useLive } from "../live/live-context.tsx";
import { Time } from "../ui/time.tsx";
import { PAGE_WIDTH } from "./page-width.ts";

export function Banners() {
  const { latest, heardAt } = useLive();
  return (
    <div role="status">
      {latest.redis === "away" && (
        <Banner icon={DatabaseZap} title="Redis is not reachable.">
          What you see is as of <Time at={heardAt} />; the page updates when Redis is back.
        </Banner>
      )}
      {latest.workers?.blocked !== undefined && (
        <Banner icon={OctagonAlert} title="Uploads are blocked.">
          {latest.workers.blocked}. {BLOCKED_REMEDY} Files grow on disk until then.
        </Banner>
      )}
      {latest.workers?.alive === 0 && (
        <Banner icon={Server} title="No worker is running." warn>
          Nothing is uploaded. Records can still be read and purged.
        </Banner>
      )}
    </div>
  );
}

function Banner({
  icon: Icon,
  title,
  warn = false,
  children,
}: {
  icon: LucideIcon;
  title: string;
  warn?: boolean;
  children: ReactNode;
}) {
  return (
    <div
      className={`border-b ${warn ? "border-warn/40 bg-warn-soft text-warn" : "border-bad/40 bg-bad-soft text-bad"}`}
    >
      <p className={`flex items-start gap-2 py-2 text-sm ${PAGE_WIDTH}`}>
        <Icon aria-hidden className="mt-0.5 size-4 shrink-0" />
        <span className="min-w-0">
          <strong className="font-semibold">{title}</strong> {children}
        </span>
      </p>
    </div>
  );
}
