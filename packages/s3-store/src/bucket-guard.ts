/**
 * The last check before the network: no request is sent to a bucket that is not configured for this worker, whatever a
 * record says. An error of a whole old bucket affects the streams in it, not the worker.
 */
import {
  foreignBucket,
  StoreError,
  type ByteSpan,
  type CompleteOutcome,
  type CompleteRequest,
  type CopyOutcome,
  type CopyRequest,
  type CreatedUpload,
  type Demotion,
  type Head,
  type Listing,
  type ObjectHeaders,
  type ObjectRef,
  type ObjectStore,
  type OpenUpload,
  type PartOutcome,
  type PartRequest,
  type PutOutcome,
  type PutRequest,
  type StoreProfile,
  type UploadRef,
} from "@sluice/core";

export class BucketGuard implements ObjectStore {
  readonly #store: ObjectStore;
  /** The bucket for new objects is first. */
  readonly #buckets: readonly string[];

  constructor(store: ObjectStore, buckets: readonly string[]) {
    this.#store = store;
    this.#buckets = buckets;
  }

  get profile(): StoreProfile {
    return this.#store.profile;
  }

  get clockSkewMs(): number {
    return this.#store.clockSkewMs;
  }

  demote(change: Demotion, because: string): Promise<void> {
    return this.#store.demote(change, because);
  }

  head(ref: ObjectRef): Promise<Head> {
    return this.#call(ref.bucket, () => this.#store.head(ref));
  }

  put(ref: ObjectRef, request: PutRequest): Promise<PutOutcome> {
    return this.#call(ref.bucket, () => this.#store.put(ref, request));
  }

  createUpload(ref: ObjectRef, headers: ObjectHeaders): Promise<CreatedUpload> {
    return this.#call(ref.bucket, () => this.#store.createUpload(ref, headers));
  }

  uploadPart(ref: UploadRef, partNumber: number, request: PartRequest): Promise<PartOutcome> {
    return this.#call(ref.bucket, () => this.#store.uploadPart(ref, partNumber, request));
  }

  copyPart(ref: UploadRef, partNumber: number, request: CopyRequest): Promise<CopyOutcome> {
    this.#refuseForeign(request.source.bucket);
    return this.#call(ref.bucket, () => this.#store.copyPart(ref, partNumber, request));
  }

  listParts(ref: UploadRef): Promise<Listing> {
    return this.#call(ref.bucket, () => this.#store.listParts(ref));
  }

  complete(ref: UploadRef, request: CompleteRequest): Promise<CompleteOutcome> {
    return this.#call(ref.bucket, () => this.#store.complete(ref, request));
  }

  abort(ref: UploadRef): Promise<void> {
    return this.#call(ref.bucket, () => this.#store.abort(ref));
  }

  listUploads(bucket: string, prefix: string): AsyncIterable<OpenUpload> {
    return this.#each(bucket, () => this.#store.listUploads(bucket, prefix));
  }

  read(ref: ObjectRef, range?: ByteSpan): AsyncIterable<Uint8Array> {
    return this.#each(ref.bucket, () => this.#store.read(ref, range));
  }

  async #call<T>(bucket: string, request: () => Promise<T>): Promise<T> {
    this.#refuseForeign(bucket);
    try {
      return await request();
    } catch (error) {
      throw this.#judged(bucket, error);
    }
  }

  async *#each<T>(bucket: string, request: () => AsyncIterable<T>): AsyncIterable<T> {
    this.#refuseForeign(bucket);
    try {
      yield* request();
    } catch (error) {
      throw this.#judged(bucket, error);
    }
  }

  #refuseForeign(bucket: string): void {
    const message = foreignBucket(bucket, this.#buckets);
    if (message !== undefined) throw new StoreError({ trouble: "not_ours", code: "ForeignBucket", message });
  }

  #judged(bucket: string, error: unknown): unknown {
    const isOld = bucket !== this.#buckets[0];
    if (!isOld || !(error instanceof StoreError) || error.trouble !== "bucket") return error;
    const { code, status, message, outcomeUnknown, retryAfterMs } = error;
    const text = `the old bucket ${bucket}: ${message}`;
    return new StoreError({ trouble: "denied", code, status, message: text, outcomeUnknown, retryAfterMs });
  }
}
