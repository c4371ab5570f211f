/** What orphaned uploads hold, and what they cost in a month, by whose they are. */
import { costWords, type OrphanTotals } from "@sluice/control/orphan-totals";
import { plural } from "@sluice/control/units";
import type { OrphansView } from "../server/orphans.ts";
import { Bytes } from "../ui/bytes.tsx";
import { Cell, Row, Table } from "../ui/table.tsx";
import { ORPHAN_LOOKS } from "./orphan-table.tsx";

/** On a phone the owner has a line of its own. */
const GRID =
  "grid grid-cols-[5.5rem_5.5rem_minmax(0,1fr)] gap-x-3 text-sm sm:grid-cols-[minmax(0,1fr)_6rem_6rem_9.5rem]";
const COLUMNS = [
  { name: "Whose" },
  { name: "Uploads", className: "text-right" },
  { name: "Size", className: "text-right" },
  { name: "A month", className: "text-right" },
] as const;

export function OrphanTotalsTable({ view }: { view: OrphansView }) {
  return (
    <section aria-label="Totals" className="card min-w-0 overflow-hidden">
      <Table label="Totals of orphaned uploads" columns={COLUMNS} grid={GRID}>
        {view.totals.map(({ verdict, totals }) => (
          <TotalsRow
            key={verdict}
            name={ORPHAN_LOOKS[verdict].word}
            totals={totals}
            currency={view.currency}
          />
        ))}
        {view.deletable.uploads > 0 && (
          <TotalsRow name="Ours, may be deleted now" totals={view.deletable} currency={view.currency} />
        )}
      </Table>
    </section>
  );
}

function TotalsRow({
  name,
  totals,
  currency,
}: {
  name: string;
  totals: OrphanTotals;
  currency: string | undefined;
}) {
  const { uploads, bytes, unlisted, cost } = totals;
  // Where parts were not listed, the sums are lower limits.
  const atLeast = unlisted > 0 ? "≥ " : "";
  return (
    <Row grid={GRID} className="py-2">
      <Cell className="font-medium max-sm:col-span-3">{name}</Cell>
      <Cell className="num sm:text-right">{plural(uploads, "upload")}</Cell>
      <Cell className="text-right">
        {unlisted === uploads ? (
          "not known"
        ) : (
          <>
            {atLeast}
            <Bytes n={bytes} />
          </>
        )}
      </Cell>
      <Cell className="num text-right text-muted">
        {cost === undefined || currency === undefined || unlisted === uploads
          ? "–"
          : `${atLeast}${costWords(cost, currency)}`}
      </Cell>
    </Row>
  );
}
