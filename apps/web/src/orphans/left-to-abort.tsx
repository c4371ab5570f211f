/** Uploads left by a purge, which a worker will abort. */
import type { UploadToAbort } from "@sluice/redis-schema/records/upload-entries";
import { formatCount } from "@sluice/control/units";
import { Card } from "../ui/card.tsx";
import { Time } from "../ui/time.tsx";
import { Cell, Row, Table } from "../ui/table.tsx";
import { VisibleName } from "../ui/visible-name.tsx";

const SHOWN = 20;
const GRID = "grid gap-x-4 sm:grid-cols-[minmax(0,1fr)_minmax(0,10rem)_7rem]";
const COLUMNS = [
  { name: "Key" },
  { name: "Purged by" },
  { name: "Purged", className: "text-right" },
] as const;

export function LeftToAbort({ uploads }: { uploads: readonly UploadToAbort[] }) {
  return (
    <Card title={`Left by a purge, to be aborted by a worker: ${formatCount(uploads.length)}`} flush>
      <Table label="Uploads left by a purge" columns={COLUMNS} grid={GRID} headingsFrom="max-sm:hidden">
        {uploads.slice(0, SHOWN).map((upload) => (
          <Row key={upload.s3_upload_id} grid={GRID} className="py-2">
            <Cell className="truncate">
              <VisibleName text={upload.s3_key ?? upload.s3_upload_id} />
            </Cell>
            <Cell className="truncate text-muted">
              <VisibleName text={upload.who} />
            </Cell>
            <Cell className="text-muted sm:text-right">
              <Time at={upload.at_utc} />
            </Cell>
          </Row>
        ))}
      </Table>
      {uploads.length > SHOWN && (
        <p className="num border-t border-line px-4 py-2 text-sm text-muted">
          and {formatCount(uploads.length - SHOWN)} more
        </p>
      )}
    </Card>
  );
}
