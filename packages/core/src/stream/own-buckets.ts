/**
 * A stream's bytes go only to the buckets of this worker, whatever a record says: a record is a hint that others can
 * write, never a permission.
 */

/**
 * Why nothing may be sent to this bucket, with what to do about it; undefined: this worker may use it. Without a list,
 * any is allowed.
 */
export function foreignBucket(bucket: string, buckets: readonly string[] | undefined): string | undefined {
  if (buckets === undefined || buckets.includes(bucket)) return undefined;
  return (
    `the record names the bucket ${bucket}, which is not configured for this worker (${buckets.join(", ")}): ` +
    "nothing was sent there. If it is an earlier bucket of yours, add it to SLUICE_S3_OLD_BUCKETS and retry; " +
    "else purge the record"
  );
}
