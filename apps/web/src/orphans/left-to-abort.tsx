/** Uploads left by a purge, which a worker will abort. */
import type { UploadToAbort } from "@sluice/redis-schema/records/upload-entries";
import { formatCount } from "@sluice/control/units";
import { Card } from "../ui/card.tsx";
import { Time } from "../ui/time.tsx";
import { VisibleName } from "../ui/visible-name.tsx";

const SHOWN = 20;

export function LeftToAbort({ uploads }: { uploads: readonly UploadToAbort[] }) {
  return (
    <Card title={`Left by a purge, to be aborted by a worker: ${formatCount(uploads.length)}`} flush>
      <ul className="divide-y divide-line border-t border-line text-sm">
        {uploads.slice(0, SHOWN).map((upload) => (
          <li key={upload.s3_upload_id} className="flex justify-between gap-4 px-4 py-2">
            <span className="truncate">
              <VisibleName text={upload.s3_key ?? upload.s3_upload_id} />
            </span>
            <span className="shrink-0 text-muted">
              {upload.who}, <Time at={upload.at_utc} />
            </span>
          </li>
        ))}
        {uploads.length > SHOWN && (
          <li className="num px-4 py-2 text-muted">and {formatCount(uploads.length - SHOWN)} more</li>
        )}
      </ul>
    </Card>
  );
}
