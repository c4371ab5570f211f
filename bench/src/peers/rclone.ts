/** rclone as its own documentation recommends for S3, four parts of 8 MiB in flight, without a check for the bucket. */
import { CREDENTIALS } from "../rig/credentials.ts";

/** Copies a file or a directory into the bucket. */
export function rcloneCopy(source: string, endpoint: string): string[] {
  const options = {
    "s3-provider": "Other",
    "s3-endpoint": endpoint,
    "s3-region": "us-east-1",
    "s3-access-key-id": CREDENTIALS.AWS_ACCESS_KEY_ID,
    "s3-secret-access-key": CREDENTIALS.AWS_SECRET_ACCESS_KEY,
    "s3-chunk-size": "8Mi",
    "s3-upload-cutoff": "8Mi",
    "s3-upload-concurrency": "4",
    "s3-no-check-bucket": "true",
    transfers: "4",
    config: "/dev/null",
    retries: "1",
  };
  const flags = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
  return ["rclone", "copy", source, ":s3:bench/rclone", ...flags];
}
