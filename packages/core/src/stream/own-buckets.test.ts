import { expect, test } from "vitest";
import { foreignBucket } from "./own-buckets.ts";

test.each([
  ["the worker's own", "new", ["new", "old"], true],
  ["an old one of the list", "old", ["new", "old"], true],
  ["any other", "other", ["new", "old"], false],
  ["one whose name begins alike", "new-2", ["new"], false],
  ["any, where no list was given", "other", undefined, true],
])("D4c: %s: %s of %j may be written to: %s", (_, bucket, buckets, may) => {
  const words = foreignBucket(bucket, buckets);
  if (may) expect(words).toBeUndefined();
  else expect(words).toContain(`the bucket ${bucket}, which is not configured for this worker`);
});
