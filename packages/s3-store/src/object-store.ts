/**
 * The domain's object store on S3's own commands. Every reply's shape is checked; what only looks like success is not
 * called success, and what failed says whether it may have been carried out all the same.
 */
import type {
  CompleteOutcome,
  CompleteRequest,
  CreatedUpload,
  Demotion,
  Head,
  Listing,
  ObjectHeaders,
  ByteSpan,
  ObjectRef,
  ObjectStore,
  OpenUpload,
  PartOutcome,
  PartRequest,
  PutOutcome,
  PutRequest,
  UploadRef,
} from "@sluice/core";
import type { ObjectAttributes } from "./attributes.ts";
import { putObject, uploadPart } from "./bodies.ts";
import { S3Caller } from "./caller.ts";
import { UploadChecksums } from "./checksums.ts";
import type { S3Connection } from "./connection.ts";
import { listParts, listUploads } from "./listings.ts";
import type { S3Profile } from "./profiles.ts";
import { headObject, readObject } from "./reads.ts";
import type { S3Context } from "./requests.ts";
import { abortUpload, completeUpload, createUpload } from "./uploads.ts";

export interface S3StoreOptions extends ObjectAttributes {
  profile: S3Profile;
  /** SLUICE_S3_KEY_PREFIX: below it the bucket is asked whether it answers at all. */
  prefix: string;
  /** The profile was changed at work: to be said, and kept. */
  onDemoted?: (change: Demotion, because: string) => Promise<void>;
}

export class S3ObjectStore implements ObjectStore {
  readonly profile: S3Profile;
  readonly #context: S3Context;
  readonly #connection: S3Connection;
  readonly #onDemoted: S3StoreOptions["onDemoted"];

  constructor(connection: S3Connection, options: S3StoreOptions) {
    this.profile = options.profile;
    this.#connection = connection;
    this.#onDemoted = options.onDemoted;
    this.#context = {
      caller: new S3Caller(connection, {
        prefix: options.prefix,
        headMissingIs404: options.profile.headMissingIs404,
      }),
      profile: options.profile,
      attributes: options,
      checksums: new UploadChecksums(options.profile.checksum),
    };
  }

  /** The SDK measures it by the Date of every reply, and signs by it. */
  get clockSkewMs(): number {
    return this.#connection.client.config.systemClockOffset;
  }

  async demote(change: Demotion, because: string): Promise<void> {
    Object.assign(this.profile, change);
    await this.#onDemoted?.(change, because);
  }

  head(ref: ObjectRef): Promise<Head> {
    return headObject(this.#context, ref);
  }

  put(ref: ObjectRef, request: PutRequest): Promise<PutOutcome> {
    return putObject(this.#context, ref, request);
  }

  createUpload(ref: ObjectRef, headers: ObjectHeaders): Promise<CreatedUpload> {
    return createUpload(this.#context, ref, headers);
  }

  uploadPart(ref: UploadRef, partNumber: number, request: PartRequest): Promise<PartOutcome> {
    return uploadPart(this.#context, ref, partNumber, request);
  }

  listParts(ref: UploadRef): Promise<Listing> {
    return listParts(this.#context, ref);
  }

  complete(ref: UploadRef, request: CompleteRequest): Promise<CompleteOutcome> {
    return completeUpload(this.#context, ref, request);
  }

  abort(ref: UploadRef): Promise<void> {
    return abortUpload(this.#context, ref);
  }

  listUploads(bucket: string, prefix: string): AsyncIterable<OpenUpload> {
    return listUploads(this.#context, bucket, prefix);
  }

  read(ref: ObjectRef, range?: ByteSpan): AsyncIterable<Uint8Array> {
    return readObject(this.#context, ref, range);
  }
}
