"use client";
/** The part map, its description, the comparison with S3 and the table of parts. */
import dynamic from "next/dynamic";
import { useState } from "react";
import { parsePlan } from "@sluice/core/stream/part-plan";
import { formatBytes } from "@sluice/control/units";
import type { PartMapPage } from "../server/stream-detail.ts";
import type { StreamRow } from "@sluice/control/stream-row";
import { Card } from "../ui/card.tsx";
import { ComparisonView } from "./comparison-view.tsx";
import { cellWords, plannedRange } from "./part-map.ts";
import { cellWord, PartMapText, PartMapView } from "./part-map-view.tsx";
import { PartsToolbar } from "./parts-toolbar.tsx";
import { useComparison } from "./use-comparison.ts";

// Its rows are loaded as they become visible anyway.
const PartTable = dynamic(() => import("./part-table.tsx").then((module) => module.PartTable), {
  ssr: false,
  loading: () => <div style={{ height: FIRST_PX }} />,
});
/** About three rows. */
const FIRST_PX = 160;

export function PartsCard({ row, page }: { row: StreamRow; page: PartMapPage }) {
  const [selected, setSelected] = useState<number>();
  const { comparison, compare, asking } = useComparison(row.id);
  const { map } = page;
  const words = cellWords(row);
  return (
    <Card title="Parts" flush aside={<PartsToolbar row={row} onCompare={compare} comparing={asking} />}>
      <div className="flex flex-col gap-3 px-4 pt-1 pb-4">
        <PartMapView
          map={map}
          words={words}
          describe={(n) => describePart(page, words, n)}
          selected={selected}
          onSelect={setSelected}
        />
        {page.bad > 0 && (
          <p className="text-sm text-warn">{page.bad} recorded parts cannot be read and are left out.</p>
        )}
        {map.count > 0 && (
          <details className="text-sm">
            <summary className="text-muted">The map as text</summary>
            <PartMapText map={map} words={words} />
          </details>
        )}
        {comparison && <ComparisonView comparison={comparison} />}
      </div>
      {map.count > 0 && (
        <div className="border-t border-line">
          <PartTable
            id={row.id}
            map={map}
            words={words}
            partPlan={page.part_plan}
            fileSize={page.file_size}
            selected={selected}
            comparison={comparison}
          />
        </div>
      )}
    </Card>
  );
}

function describePart(
  { map, part_plan, file_size }: PartMapPage,
  words: ReturnType<typeof cellWords>,
  n: number,
): string {
  const range = plannedRange(part_plan === undefined ? undefined : parsePlan(part_plan), n, file_size);
  const where = range === undefined ? "" : `, ${formatBytes(range.size)} from ${formatBytes(range.offset)}`;
  return `Part ${n}${where}: ${cellWord(map, words, n)}`;
}
