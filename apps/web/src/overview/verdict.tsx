/** Is data safe? One sentence, first on the page. */
import { CircleAlert, CircleCheck, ShieldAlert } from "lucide-react";
import type { Overview } from "../server/overview/overview.ts";
import { formatBytes, plural } from "@sluice/control/units";

export function Verdict({ overview }: { overview: Overview }) {
  const bad = overview.attention.filter((item) => item.weight === "bad").length;
  const notes = overview.attention.length - bad;
  const look =
    bad > 0
      ? {
          icon: ShieldAlert,
          tone: "text-bad",
          text: `${plural(bad, "problem needs", "problems need")} attention`,
        }
      : notes > 0
        ? { icon: CircleAlert, tone: "text-warn", text: `Data is safe, with ${plural(notes, "note")}` }
        : { icon: CircleCheck, tone: "text-good", text: "Data is safe" };
  const Icon = look.icon;
  return (
    <div className="flex items-start gap-3">
      <Icon aria-hidden className={`mt-0.5 size-7 shrink-0 ${look.tone}`} />
      <div className="min-w-0">
        <h1 className="text-xl">{look.text}</h1>
        <p className="text-sm text-muted">{explain(overview)}</p>
      </div>
    </div>
  );
}

function explain({ lag_bytes: lag, counts, filling }: Overview): string {
  if (filling) return "The streams are still being read; the numbers below are not whole yet.";
  const live = counts.active + counts.pending_completion;
  if (live === 0) return "No file is being written; every stream has come to its end.";
  if (lag === 0) return `Every byte of ${plural(live, "live stream")} is in S3.`;
  return `${plural(live, "live stream")}; ${formatBytes(lag)} are on local disk and not in S3 yet.`;
}
