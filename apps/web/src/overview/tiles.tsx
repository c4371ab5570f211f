/** Four numbers, each a link to its details. Their positions never change. */
import Link from "next/link";
import type { ReactNode } from "react";
import { isUrgent, spaceWords } from "@sluice/control/disk-space";
import { formatCount, formatDuration } from "@sluice/control/units";
import type { Overview } from "../server/overview/overview.ts";
import { listHref } from "../streams/list-params.ts";
import { Bytes, Rate } from "../ui/bytes.tsx";
import { Age } from "../ui/time.tsx";

export function Tiles({ overview }: { overview: Overview }) {
  const { counts, workers } = overview;
  return (
    <div className="grid grid-cols-1 gap-3 sm:grid-cols-2 xl:grid-cols-4">
      <Tile
        name="Not in S3 yet"
        href={listHref({ view: "active", sort: "lag" })}
        value={<Bytes n={overview.lag_bytes} />}
        notes={[
          [<NotProtected key="name" />, <Bytes key="bytes" n={overview.unprotected_bytes} />],
          ["Oldest of these", <Oldest key="age" {...overview.risk} />],
          ["Disk free", <DiskFree key="disk" disk={overview.disk} />],
        ]}
      />
      <Tile
        name="To S3"
        value={<Rate n={overview.rate_out} />}
        notes={[
          ["Written to disk", <Rate key="in" n={overview.rate_in} />],
          ["Time to drain", <span key="drain">{drain(overview)}</span>],
        ]}
      />
      <Tile
        name="Streams live"
        href={listHref({ view: "active" })}
        value={formatCount(counts.active + counts.pending_completion)}
        notes={[
          [
            <NoteLink key="p" href={listHref({ view: "pending_completion" })}>
              Pending completion
            </NoteLink>,
            formatCount(counts.pending_completion),
          ],
          [
            <NoteLink key="s" href={listHref({ stalled: true })}>
              Stalled
            </NoteLink>,
            <Alarm key="n" n={counts.stalled} />,
          ],
          [
            <NoteLink key="f" href="/failed">
              Failed
            </NoteLink>,
            <Alarm key="n" n={counts.failed} />,
          ],
        ]}
      />
      <Tile
        name="Completed in 24 h"
        href={listHref({ view: "completed" })}
        value={formatCount(overview.completed_24h)}
        notes={[
          ["In history", formatCount(counts.completed)],
          [
            <NoteLink key="w" href="/workers">
              Workers alive
            </NoteLink>,
            <span key="n" className={workers.alive === 0 ? "font-semibold text-bad" : ""}>
              {formatCount(workers.alive)}
              {workers.blocked > 0 && ` (${workers.blocked} blocked)`}
            </span>,
          ],
        ]}
      />
    </div>
  );
}

function Tile({
  name,
  href,
  value,
  notes,
}: {
  name: string;
  href?: string;
  value: ReactNode;
  notes: readonly (readonly [ReactNode, ReactNode])[];
}) {
  return (
    <section aria-label={name} className="card flex flex-col px-4 py-3">
      <h2 className="text-xs font-medium text-muted">
        {href === undefined ? (
          name
        ) : (
          <Link href={href} className="hover:text-accent hover:underline">
            {name}
          </Link>
        )}
      </h2>
      <p className="num mt-0.5 text-2xl font-semibold tracking-tight">{value}</p>
      <dl className="mt-1.5 text-sm leading-6">
        {notes.map(([label, note], at) => (
          <div key={at} className="flex items-baseline justify-between gap-3">
            <dt className="text-muted">{label}</dt>
            <dd className="num shrink-0">{note}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function Oldest({ oldest }: Overview["risk"]) {
  return (
    <span title={oldest?.least ? "Its exact time was not recorded: it may be older" : undefined}>
      {oldest?.least && "at least "}
      <Age since={oldest?.at} />
    </span>
  );
}

/** Of the fullest disk. */
function DiskFree({ disk }: { disk: Overview["disk"] | undefined }) {
  if (disk === undefined) return <span className="text-muted">not known</span>;
  const warned = disk.filling_since_utc !== undefined;
  return (
    <span
      className={warned ? `font-semibold ${isUrgent(disk) ? "text-bad" : "text-warn"}` : ""}
      title={`Watch ${disk.watch} on ${disk.host}: ${spaceWords(disk)}`}
    >
      <Bytes n={disk.free_bytes} />
      {disk.full_in_ms !== undefined && `, full in ${formatDuration(disk.full_in_ms)}`}
    </span>
  );
}

function NoteLink({ href, children }: { href: string; children: ReactNode }) {
  return (
    <Link
      href={href}
      className="inline-block min-h-6 leading-6 underline decoration-line-strong underline-offset-2 hover:text-accent"
    >
      {children}
    </Link>
  );
}

function NotProtected() {
  return (
    <span title="The loss of its host would lose them: S3 does not hold them for certain">Not protected</span>
  );
}

function Alarm({ n }: { n: number }) {
  return <span className={n > 0 ? "font-semibold text-bad" : ""}>{formatCount(n)}</span>;
}

/** Only if the backlog shrinks fast enough for a forecast. */
function drain({ lag_bytes: lag, rate_in: rateIn, rate_out: rateOut }: Overview): string {
  if (lag === 0) return "nothing to drain";
  const net = rateOut - rateIn;
  if (net < 1_024) return "–";
  return formatDuration((lag / net) * 1_000);
}
