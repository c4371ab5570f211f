/**
 * Failed streams that are no alert: another generation took their place, or their file vanished while it bore a temporary
 * name and so never was a recording. They are listed apart, counted as no failure, and their uploads end by themselves.
 */
export const SET_APART = ["temporary_name"] as const;
export type SetApart = (typeof SET_APART)[number];

export function isSetApart(record: {
  superseded_by?: string | undefined;
  set_apart?: string | undefined;
}): boolean {
  return record.superseded_by !== undefined || record.set_apart !== undefined;
}
