/**
 * Failed streams that raise no alert: another generation replaced them, or their file vanished while it had a temporary
 * name and so never was a recording. They are listed separately, do not count as failures, and their uploads are
 * aborted after a time.
 */
export const SET_APART = ["temporary_name"] as const;
export type SetApart = (typeof SET_APART)[number];

export function isSetApart(record: {
  superseded_by?: string | undefined;
  set_apart?: string | undefined;
}): boolean {
  return record.superseded_by !== undefined || record.set_apart !== undefined;
}
