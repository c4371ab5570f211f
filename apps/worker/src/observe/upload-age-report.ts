/** Logs once that the store will abort an upload soon, and once more if the outlook gets worse. */
import {
  describeOutlook,
  displayPath,
  uploadAge,
  type Clock,
  type Outlook,
  type StreamRecord,
} from "@sluice/core";
import type { SupervisorLog } from "../streams/supervisor.ts";

const WEIGHT: Readonly<Record<Outlook, number>> = { ample: 0, near: 1, late: 2, over: 3 };

export interface UploadAgeDeps {
  running: ReadonlyMap<string, { processor: { record: StreamRecord } }>;
  log: Pick<SupervisorLog, "warn">;
  clock: Pick<Clock, "wallMs">;
}

/** Each call checks every running stream. */
export function uploadAgeReport({ running, log, clock }: UploadAgeDeps): () => Promise<void> {
  /** The worst outlook reported for each upload. Uploads that ended are removed. */
  let reported = new Map<string, Outlook>();
  return async () => {
    const next = new Map<string, Outlook>();
    for (const { processor } of running.values()) {
      const { record } = processor;
      const age = uploadAge(record, clock.wallMs());
      if (!age || record.s3_upload_id === undefined) continue;
      const before = reported.get(record.s3_upload_id) ?? "ample";
      const worse = WEIGHT[age.outlook] > WEIGHT[before];
      if (worse) {
        log.warn(
          {
            stream_id: record.id,
            path: displayPath(record.original_path),
            aborts_at: age.abortsAt,
            bytes: record.file_size - record.bytes_sent,
          },
          `the store aborts this upload at ${age.abortsAt}: ${describeOutlook(age.outlook)}`,
        );
      }
      next.set(record.s3_upload_id, worse ? age.outlook : before);
    }
    reported = next;
  };
}
