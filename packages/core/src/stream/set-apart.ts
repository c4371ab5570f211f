/**
 * Failed streams that raise no alert: another generation replaced them, or their file vanished while it had a temporary
 * name and so never was a recording. They are listed separately, do not count as failures, and their uploads are
 * aborted after a time.
 */
export const SET_APART = ["temporary_name"] as const;
export type SetApart = (typeof SET_APART)[number];

/** Another generation replaced it, or it never was a recording. */
export function isSetApart(record: {
  superseded_by?: string | undefined;
  set_apart?: string | undefined;
}): boolean {
  return record.superseded_by !== undefined || record.set_apart !== undefined;
}

/** That such an upload ends is said from so long before on: until then its bytes can be salvaged. */
export const ENDING_SAID_MS = 24 * 60 * 60_000;

/** When a worker ends the upload of a stream that is set apart, ms since 1970; undefined for every other stream. */
export function uploadEndsAtMs(
  record: Parameters<typeof isSetApart>[0] & {
    s3_upload_id?: string | undefined;
    last_activity_at_utc?: string | undefined;
  },
  retentionMs: number,
): number | undefined {
  const since = Date.parse(record.last_activity_at_utc ?? "");
  const ends = isSetApart(record) && record.s3_upload_id !== undefined && !Number.isNaN(since);
  return ends ? since + retentionMs : undefined;
}
