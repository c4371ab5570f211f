/** What needs attention, grouped by reason, with what to do. An empty list says so, and when it was last checked. */
import { CircleAlert, CircleCheck, ShieldAlert } from "lucide-react";
import Link from "next/link";
import type { Attention } from "../server/overview/attention.ts";
import { Empty } from "../ui/states.tsx";
import { Time } from "../ui/time.tsx";

export function AttentionList({ items, checkedAt }: { items: readonly Attention[]; checkedAt: number }) {
  if (items.length === 0) {
    return (
      <Empty icon={CircleCheck} title="Nothing needs your attention">
        Checked <Time at={checkedAt} />.
      </Empty>
    );
  }
  return (
    <ul className="grid gap-px overflow-hidden rounded-b-[9px] border-t border-line bg-line lg:grid-cols-2">
      {items.map((item) => {
        const Icon = item.weight === "bad" ? ShieldAlert : CircleAlert;
        return (
          <li
            key={item.id}
            className="relative flex gap-3 bg-surface px-4 py-3 last:nth-[odd]:lg:col-span-2 hover:bg-sunken"
            data-attention={item.id}
          >
            <Icon
              aria-hidden
              className={`mt-0.5 size-4.5 shrink-0 ${item.weight === "bad" ? "text-bad" : "text-warn"}`}
            />
            <div className="min-w-0 text-sm">
              <p className="font-medium">
                <span className="heard">{item.weight === "bad" ? "Problem: " : "Note: "}</span>
                {item.href === undefined ? (
                  item.title
                ) : (
                  <Link href={item.href} className="after:absolute after:inset-0 hover:text-accent">
                    {item.title}
                  </Link>
                )}
              </p>
              <p className="text-muted [overflow-wrap:anywhere]">
                {item.detail}
                {item.since !== undefined && (
                  <>
                    {" "}
                    Since <Time at={item.since} />.
                  </>
                )}
              </p>
              {item.remedy && <p className="mt-0.5 [overflow-wrap:anywhere]">{item.remedy}</p>}
            </div>
          </li>
        );
      })}
    </ul>
  );
}
