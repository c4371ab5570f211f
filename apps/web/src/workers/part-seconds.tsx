/** How long the parts of a worker took: the buckets of its own metric, as bars with their numbers. */
import { formatCount, formatDuration, plural } from "@sluice/control/units";
import type { PartSeconds } from "@sluice/redis-schema/records/worker-report";
import { Card } from "../ui/card.tsx";
import { Time } from "../ui/time.tsx";
import { barsOf } from "./part-bars.ts";

export function PartSecondsCard({ durations }: { durations: PartSeconds | undefined }) {
  if (durations === undefined)
    return (
      <Card title="Duration of parts">
        <p className="text-sm text-muted">No part was sent since this worker started.</p>
      </Card>
    );
  const { bars, total } = barsOf(durations);
  return (
    <Card title="Duration of parts">
      <p className="mb-3 text-sm text-muted">
        {plural(total, "part")} since <Time at={durations.since} />, from the first attempt to the
        acknowledgement: {formatDuration((durations.seconds / total) * 1_000)} on average.
      </p>
      <ul className="space-y-1 text-sm" aria-label="Duration of parts">
        {bars.map(({ label, parts, share }) => (
          <li key={label} className="grid grid-cols-[8.5rem_minmax(0,1fr)_4.5rem] items-center gap-3">
            <span className="num whitespace-nowrap text-muted">{label}</span>
            <span aria-hidden className="h-3 rounded-sm bg-sunken">
              <span
                className="swatch block h-3 rounded-sm bg-part-sent"
                style={{ width: `${share * 100}%` }}
              />
            </span>
            <span className="num text-right">{formatCount(parts)}</span>
          </li>
        ))}
      </ul>
    </Card>
  );
}
