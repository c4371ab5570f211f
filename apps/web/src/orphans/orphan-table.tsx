"use client";
/** One row per upload. Foreign and unknown ones are never preselected. */
import { CircleHelp, House, LifeBuoy, TriangleAlert, type LucideIcon } from "lucide-react";
import type { Orphan, Verdict } from "@sluice/redis-schema/records/upload-entries";
import { plural, parseTime } from "@sluice/control/units";
import { Age } from "../ui/time.tsx";
import { Bytes } from "../ui/bytes.tsx";
import { fileName } from "@sluice/control/stream-row";
import { VisibleName } from "../ui/visible-name.tsx";

const VERDICTS: Record<Verdict, { word: string; icon: LucideIcon; tone: string }> = {
  ours: { word: "Ours", icon: House, tone: "text-accent" },
  only_copy: { word: "Only copy", icon: LifeBuoy, tone: "text-warn" },
  foreign: { word: "Foreign", icon: TriangleAlert, tone: "text-warn" },
  unknown: { word: "Unknown", icon: CircleHelp, tone: "text-muted" },
};

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
    <ul className="divide-y divide-line text-sm">
      {orphans.map((orphan) => (
        <Row
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
    </ul>
  );
}

function Row({
  orphan,
  checked,
  onCheck,
}: {
  orphan: Orphan;
  checked: boolean;
  onCheck: (checked: boolean) => void;
}) {
  const verdict = VERDICTS[orphan.verdict];
  const Icon = verdict.icon;
  return (
    <li className="flex gap-3 px-4 py-3" data-verdict={orphan.verdict}>
      <input
        type="checkbox"
        aria-label={`Select ${orphan.s3_key}`}
        checked={checked}
        onChange={(event) => onCheck(event.target.checked)}
        className="mt-1 size-4 shrink-0 accent-accent-fill"
      />
      <div className="grid min-w-0 flex-1 gap-x-5 gap-y-1 md:grid-cols-[minmax(0,3fr)_minmax(0,2fr)_8.5rem_5.5rem]">
        <div className="min-w-0">
          <p className="font-medium">
            <VisibleName text={fileName(orphan.s3_key)} />
          </p>
          <p className="text-xs text-muted">
            <VisibleName text={`${orphan.s3_bucket}/${orphan.s3_key}`} />
          </p>
          <p className="truncate text-xs text-muted" title={orphan.s3_upload_id}>
            Upload <code>{orphan.s3_upload_id}</code>
          </p>
        </div>
        <div className="min-w-0">
          <p className={`inline-flex items-center gap-1.5 font-medium ${verdict.tone}`}>
            <Icon aria-hidden className="size-4" /> {verdict.word}
          </p>
          <p className="text-xs text-muted">{orphan.because}</p>
        </div>
        <div>
          <Age since={parseTime(orphan.initiated_at_utc) ?? parseTime(orphan.first_seen_at_utc)} />
          <p className="text-xs text-muted">
            {orphan.initiated_at_utc === undefined ? "since first seen here" : "by the store's clock"}
          </p>
        </div>
        <div className="md:text-right">
          {orphan.bytes === undefined ? "–" : <Bytes n={orphan.bytes} />}
          <p className="num text-xs text-muted">
            {orphan.parts === undefined ? "parts unknown" : plural(orphan.parts, "part")}
          </p>
        </div>
      </div>
    </li>
  );
}
