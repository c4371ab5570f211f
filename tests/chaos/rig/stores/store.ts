/** Where the objects of a run go: one S3 endpoint of some kind, in which every round gets a bucket of its own. */
import type { Target } from "../../auditor/bucket.ts";

/** One round's bucket. Disposed, nothing of it is left. */
export interface Place extends AsyncDisposable {
  readonly target: Target;
}

export interface Store extends AsyncDisposable {
  /** `quirks`: what the endpoint is to lack or do its own way; only `local-s3` can be told. */
  open(quirks?: readonly string[]): Promise<Place>;
}
