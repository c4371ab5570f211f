"use client";
/** What happened to the stream, newest first, with the recorded reasons. */
import type { LogEntry } from "@sluice/redis-schema/records/feed";
import { Time } from "../ui/time.tsx";
import { VisibleName } from "../ui/visible-name.tsx";

export function Timeline({ log }: { log: readonly (LogEntry | { text: string })[] }) {
  if (log.length === 0) return <p className="text-sm text-muted">No events yet.</p>;
  return (
    <ol tabIndex={0} aria-label="Timeline, newest first" className="max-h-96 overflow-y-auto text-sm">
      {log.map((entry, at) => (
        // New entries are only added at the head and have no id, so their position from the end is their key.
        <li key={log.length - at} className="relative flex gap-3 pb-3 pl-5 last:pb-0">
          <span aria-hidden className="absolute top-1.5 left-0 size-2 rounded-full bg-line-strong" />
          {at < log.length - 1 && (
            <span aria-hidden className="absolute top-3.5 bottom-[-0.4rem] left-[3px] w-0.5 bg-line" />
          )}
          <span className="min-w-0 flex-1 [overflow-wrap:anywhere]">
            <VisibleName text={entry.text} />
          </span>
          {"at_utc" in entry && <Time at={entry.at_utc} className="text-muted" />}
        </li>
      ))}
    </ol>
  );
}
