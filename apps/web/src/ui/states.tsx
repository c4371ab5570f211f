/** The states of a view without data: empty, loading, failed. */
import type { LucideIcon } from "lucide-react";
import { CircleAlert } from "lucide-react";
import type { ReactNode } from "react";

export function Empty({
  icon: Icon,
  title,
  children,
}: {
  icon: LucideIcon;
  title: string;
  children?: ReactNode;
}) {
  return (
    <div className="flex flex-col items-center gap-2 px-6 py-12 text-center">
      <span className="grid size-11 place-items-center rounded-full bg-sunken">
        <Icon aria-hidden className="size-5 text-muted" />
      </span>
      <p className="font-medium">{title}</p>
      {children && <div className="max-w-prose text-sm text-muted">{children}</div>}
    </div>
  );
}

export function Failure({
  title,
  detail,
  action,
}: {
  title: string;
  detail?: string | undefined;
  action?: ReactNode;
}) {
  return (
    <div
      role="alert"
      className="flex flex-wrap items-start gap-3 rounded-lg border border-bad/40 bg-bad-soft px-4 py-3"
    >
      <CircleAlert aria-hidden className="mt-0.5 size-5 shrink-0 text-bad" />
      <div className="min-w-0 flex-1">
        <p className="font-medium text-bad">{title}</p>
        {detail && <p className="text-sm [overflow-wrap:anywhere]">{detail}</p>}
      </div>
      {action}
    </div>
  );
}

/** Reserves space for what is being loaded. `lines`: the expected number of lines. */
export function Loading({ lines = 4, label = "Loading" }: { lines?: number; label?: string }) {
  return (
    <div role="status" className="flex flex-col gap-2.5 p-4">
      <span className="heard">{label}…</span>
      {Array.from({ length: lines }, (_, line) => (
        <span
          key={line}
          aria-hidden
          className={`h-4 animate-pulse rounded bg-sunken ${["w-11/12", "w-3/4", "w-5/6", "w-2/3"][line % 4]}`}
        />
      ))}
    </div>
  );
}
