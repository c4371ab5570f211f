"use client";
/** One row per upload. Foreign and unknown ones are never preselected. */
import { CircleHelp, House, LifeBuoy, TriangleAlert, type LucideIcon } from "lucide-react";
import type { Verdict } from "@sluice/redis-schema/records/upload-entries";
import type { OrphansView } from "../server/orphans.ts";
import { plural, parseTime } from "@sluice/control/units";
import { endOfOrphan } from "@sluice/control/ending-uploads";
import { Age, Time } from "../ui/time.tsx";
import { useNow } from "../ui/clock.ts";
import { Bytes } from "../ui/bytes.tsx";
import { fileName } from "@sluice/control/stream-row";
import { Cell, Row, Table } from "../ui/table.tsx";
import { VisibleName } from "../ui/visible-name.tsx";

export const ORPHAN_LOOKS: Record<Verdict, { word: string; icon: LucideIcon; tone: string }> = {
  ours: { word: "Ours", icon: House, tone: "text-accent" },
  only_copy: { word: "Only copy", icon: LifeBuoy, tone: "text-warn" },
  foreign: { word: "Foreign", icon: TriangleAlert, tone: "text-warn" },
  unknown: { word: "Unknown", icon: CircleHelp, tone: "text-muted" },
};

type Orphan = OrphansView["orphans"][number];

export function OrphanTable({
  orphans,
  chosen,
  onChoose,
}: {
  orphans: readonly Orphan[];
  chosen: ReadonlySet<string>;
  onChoose: (chosen: ReadonlySet<string>) => void;
}) {
  return (
    <Table label="Orphaned uploads" columns={COLUMNS} grid={GRID}>
      {orphans.map((orphan) => (
        <OrphanRow
          key={orphan.s3_upload_id}
          orphan={orphan}
          checked={chosen.has(orphan.s3_upload_id)}
          onCheck={(checked) => {
            const next = new Set(chosen);
            if (checked) next.add(orphan.s3_upload_id);
            else next.delete(orphan.s3_upload_id);
            onChoose(next);
          }}
        />
      ))}
    </Table>
  );
}

const GRID =
  "grid grid-cols-[1rem_minmax(0,1fr)] gap-x-3 gap-y-1 md:grid-cols-[1rem_minmax(0,3fr)_minmax(0,2fr)_8.5rem_6.5rem] md:gap-x-5";
const COLUMNS = [
  { name: "Select", silent: true },
  { name: "Upload" },
  { name: "Whose" },
  { name: "Open for" },
  { name: "Size", className: "text-right" },
] as const;

function OrphanRow({
  orphan,
  checked,
  onCheck,
}: {
  orphan: Orphan;
  checked: boolean;
  onCheck: (checked: boolean) => void;
}) {
  const verdict = ORPHAN_LOOKS[orphan.verdict];
  const Icon = verdict.icon;
  const end = endOfOrphan(orphan);
  return (
    <Row grid={GRID} className="py-3" data-verdict={orphan.verdict}>
      <Cell className="max-md:row-span-4">
        <input
          type="checkbox"
          aria-label={`Select ${orphan.s3_key}`}
          checked={checked}
          onChange={(event) => onCheck(event.target.checked)}
          className="mt-1 size-4 accent-accent-fill"
        />
      </Cell>
      <Cell>
        <p className="font-medium">
          <VisibleName text={fileName(orphan.s3_key)} />
        </p>
        <p className="text-xs text-muted">
          <VisibleName text={`${orphan.s3_bucket}/${orphan.s3_key}`} />
        </p>
        <p className="truncate text-xs text-muted" title={orphan.s3_upload_id}>
          Upload <code>{orphan.s3_upload_id}</code>
        </p>
      </Cell>
      <Cell>
        <p className={`inline-flex items-center gap-1.5 font-medium ${verdict.tone}`}>
          <Icon aria-hidden className="size-4" /> {verdict.word}
        </p>
        <p className="text-xs text-muted [overflow-wrap:anywhere]">{orphan.because}</p>
        {orphan.deletable_from !== undefined && <Deletable from={orphan.deletable_from} />}
      </Cell>
      <Cell>
        <Age since={parseTime(orphan.initiated_at_utc) ?? parseTime(orphan.first_seen_at_utc)} />
        <p className="text-xs text-muted">
          {orphan.initiated_at_utc === undefined ? "since first seen here" : "by the store's clock"}
        </p>
        {end !== undefined && (
          <p className="text-xs text-warn" data-testid="only-copy-ends">
            The store ends it <Time at={end.endsAt} />
          </p>
        )}
      </Cell>
      <Cell className="md:text-right">
        {orphan.bytes === undefined ? "–" : <Bytes n={orphan.bytes} />}
        <p className="num text-xs text-muted">
          {orphan.parts === undefined ? "parts unknown" : plural(orphan.parts, "part")}
        </p>
      </Cell>
    </Row>
  );
}

function Deletable({ from }: { from: number }) {
  const isNow = from <= useNow();
  return (
    <p className="text-xs">
      {isNow ? "became deletable " : "becomes deletable "}
      <Time at={from} />
    </p>
  );
}
