/** An upload that the store will abort before long is told once in the log, and once more when it gets worse. */
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

/** One look at every running stream for each call. */
export function uploadAgeReport({ running, log, clock }: UploadAgeDeps): () => Promise<void> {
  /** By upload: the worst that was told. Those that ended are forgotten. */
  let told = new Map<string, Outlook>();
  return async () => {
    const next = new Map<string, Outlook>();
    for (const { processor } of running.values()) {
      const { record } = processor;
      const age = uploadAge(record, clock.wallMs());
      if (!age || record.s3_upload_id === undefined) continue;
      const before = told.get(record.s3_upload_id) ?? "ample";
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
    told = next;
  };
}
