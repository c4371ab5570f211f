/**
 * A stream's bytes go only to a bucket that this worker was given, whatever a record says: a record is a hint that others
 * can write, never a permission.
 */

/** Why nothing may be sent to this bucket, with what to do about it; undefined: it is one of ours. No list: any is. */
export function foreignBucket(bucket: string, buckets: readonly string[] | undefined): string | undefined {
  if (buckets === undefined || buckets.includes(bucket)) return undefined;
  return (
    `the record names the bucket ${bucket}, which this worker was not given (it has ${buckets.join(", ")}): ` +
    "nothing was sent there. If it is an earlier bucket of yours, name it in SLUICE_S3_OLD_BUCKETS and retry; " +
    "else purge the record"
  );
}
