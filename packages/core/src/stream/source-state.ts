/**
 * Where the file of a stream is, as a worker of its source saw it last. It says whether what S3 holds of the stream is the
 * only copy there is: nothing removes that without words that say so.
 */

/** `replaced`: another file is at its path, or a shorter one. `unknown`: it cannot be looked at, or nobody does. */
export const SOURCE_STATES = ["present", "missing", "replaced", "unknown"] as const;
export type SourceState = (typeof SOURCE_STATES)[number];

const BY_REASON: Readonly<Record<string, SourceState>> = {
  file_missing: "missing",
  file_missing_on_resume: "missing",
  file_replaced: "replaced",
  file_truncated: "replaced",
};

/** Of a failed stream as a list shows it. Records of earlier versions have the reason of the failure alone. */
export function sourceStateOfFailed(row: {
  source_state?: string | undefined;
  failure_reason?: string | undefined;
}): SourceState {
  const known = SOURCE_STATES.find((state) => state === row.source_state);
  return known ?? BY_REASON[row.failure_reason ?? ""] ?? "unknown";
}
