/** The last errors and warnings of a worker: one row for each kind, with its newest reason and how often it came. */
import { CircleCheck } from "lucide-react";
import { troubleWords } from "@sluice/control/troubles";
import { formatCount } from "@sluice/control/units";
import type { Trouble } from "@sluice/redis-schema/records/worker-report";
import { Card } from "../ui/card.tsx";
import { Empty } from "../ui/states.tsx";
import { Cell, Row, Table } from "../ui/table.tsx";
import { Time } from "../ui/time.tsx";
import { VisibleName } from "../ui/visible-name.tsx";

const GRID =
  "grid grid-cols-[minmax(0,1fr)_auto] gap-x-5 gap-y-0.5 md:grid-cols-[minmax(0,1fr)_4.5rem_8.5rem_8.5rem]";
const COLUMNS = [
  { name: "What" },
  { name: "Times", className: "text-right" },
  { name: "First" },
  { name: "Last" },
] as const;

export function TroublesCard({ troubles }: { troubles: readonly Trouble[] }) {
  return (
    <Card title="Last errors and warnings" flush>
      {troubles.length === 0 ? (
        <Empty icon={CircleCheck} title="None that concern the store, Redis, a watch or webhooks" />
      ) : (
        <Table label="Last errors and warnings" columns={COLUMNS} grid={GRID}>
          {troubles.map(({ code, detail, count, first_at, last_at }) => {
            const { area, title } = troubleWords(code);
            return (
              <Row key={code} grid={GRID} className="py-2.5" data-trouble={code}>
                <Cell className="max-md:col-span-2">
                  <span className="font-medium">{title}</span>{" "}
                  <span className="text-xs whitespace-nowrap text-muted">
                    {area} · <code>{code}</code>
                  </span>
                  {detail !== "" && (
                    <span className="block text-muted">
                      <VisibleName text={detail} />
                    </span>
                  )}
                </Cell>
                <Cell className="num md:text-right">
                  {formatCount(count)}
                  <span className="md:hidden">×</span>
                </Cell>
                <Cell className="max-md:hidden">
                  <Time at={first_at} />
                </Cell>
                <Cell className="max-md:text-right">
                  <Time at={last_at} />
                </Cell>
              </Row>
            );
          })}
        </Table>
      )}
    </Card>
  );
}
