/** The live streams that are furthest behind. */
import { Waves } from "lucide-react";
import Link from "next/link";
import { fileName } from "@sluice/control/stream-row";
import type { BusyStream } from "../server/overview/overview.ts";
import { listHref } from "../streams/list-params.ts";
import { ProgressBar } from "../streams/progress-bar.tsx";
import { Bytes } from "../ui/bytes.tsx";
import { Card } from "../ui/card.tsx";
import { Empty } from "../ui/states.tsx";
import { Cell, Row, Table } from "../ui/table.tsx";
import { VisibleName } from "../ui/visible-name.tsx";

const GRID =
  "grid grid-cols-[minmax(0,1fr)_auto] items-center gap-x-4 gap-y-1.5 sm:grid-cols-[minmax(0,1fr)_7rem_6rem]";
const COLUMNS = [
  { name: "File" },
  { name: "In S3" },
  { name: "Not in S3 yet", className: "text-right" },
] as const;

export function BusiestStreams({ streams }: { streams: readonly BusyStream[] }) {
  return (
    <Card
      title="Furthest behind"
      flush
      aside={
        <Link
          href={listHref({ view: "active", sort: "lag" })}
          className="text-sm text-accent hover:underline"
        >
          All active
        </Link>
      }
    >
      {streams.length === 0 ? (
        <Empty icon={Waves} title="No file is growing">
          A file written into a watch appears here at once.
        </Empty>
      ) : (
        <Table label="Furthest behind" columns={COLUMNS} grid={GRID} headingsFrom="max-sm:hidden">
          {streams.map(({ id, path, sent, size, lag }) => (
            <Row key={id} grid={GRID} className="relative py-2.5 hover:bg-sunken/60">
              <Cell className="truncate">
                <Link
                  href={`/streams/${encodeURIComponent(id)}`}
                  className="font-medium after:absolute after:inset-0 hover:text-accent"
                >
                  <VisibleName text={fileName(path)} />
                </Link>
              </Cell>
              <Cell className="max-sm:order-last max-sm:col-span-2">
                <ProgressBar sent={sent} size={size} label={`In S3: ${fileName(path)}`} />
              </Cell>
              <Cell className="text-right">
                <Bytes n={lag} />
              </Cell>
            </Row>
          ))}
        </Table>
      )}
    </Card>
  );
}
