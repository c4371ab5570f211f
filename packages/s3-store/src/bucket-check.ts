/**
 * Is it this key or the whole bucket? Asked after a refusal that does not say, with requests that leave nothing
 * behind, once for all who want to know at the same time.
 */
import {
  AbortMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  type S3Client,
} from "@aws-sdk/client-s3";
import { LIMITS, StoreError } from "@sluice/core";
import { failureOf, storeError } from "./errors.ts";
import type { ExchangeOptions } from "./transport.ts";

export type Access = "read" | "write";

export interface CheckPlace {
  /** A prefix the worker has rights on. */
  prefix: string;
  /** Otherwise a HeadObject of a missing key says nothing of the right to read. */
  headMissingIs404: boolean;
}

const OPTIONS: ExchangeOptions = { deadlineMs: LIMITS.storeControlMs };

export class BucketCheck {
  readonly #client: S3Client;
  readonly #key: string;
  readonly #prefix: string;
  readonly #headMissingIs404: boolean;
  readonly #asking = new Map<string, Promise<StoreError | undefined>>();

  constructor(client: S3Client, place: CheckPlace) {
    this.#client = client;
    this.#prefix = `${place.prefix}.sluice-probe/`;
    this.#key = `${this.#prefix}asked`;
    this.#headMissingIs404 = place.headMissingIs404;
  }

  /** The trouble of the bucket as a whole; undefined when it answers and grants this access somewhere. */
  trouble(bucket: string, access: Access): Promise<StoreError | undefined> {
    const id = `${access} ${bucket}`;
    const asking = this.#asking.get(id);
    if (asking) return asking;
    const asked = this.#ask(bucket, access).finally(() => this.#asking.delete(id));
    this.#asking.set(id, asked);
    return asked;
  }

  async #ask(bucket: string, access: Access): Promise<StoreError | undefined> {
    const listed = await this.#listing(bucket);
    if (listed) return listed;
    return access === "write" ? await this.#writing(bucket) : await this.#reading(bucket);
  }

  async #listing(bucket: string): Promise<StoreError | undefined> {
    const input = { Bucket: bucket, Prefix: this.#prefix };
    const objects = await this.#try(bucket, () =>
      this.#client.send(new ListObjectsV2Command({ ...input, MaxKeys: 1 }), OPTIONS),
    );
    if (objects?.trouble !== "denied") return objects;
    const uploads = await this.#try(bucket, () =>
      this.#client.send(new ListMultipartUploadsCommand({ ...input, MaxUploads: 1 }), OPTIONS),
    );
    return uploads?.trouble === "denied" ? denied(bucket, "access to", uploads) : uploads;
  }

  /** An upload opened and aborted needs the rights of a write and leaves no object. */
  async #writing(bucket: string): Promise<StoreError | undefined> {
    const place = { Bucket: bucket, Key: this.#key };
    const trouble = await this.#try(bucket, async () => {
      const { UploadId } = await this.#client.send(new CreateMultipartUploadCommand(place), OPTIONS);
      if (UploadId !== undefined)
        await this.#client.send(new AbortMultipartUploadCommand({ ...place, UploadId }), OPTIONS);
    });
    return trouble?.trouble === "denied" ? denied(bucket, "writing to", trouble) : trouble;
  }

  async #reading(bucket: string): Promise<StoreError | undefined> {
    if (!this.#headMissingIs404) return undefined;
    const ask = () => this.#client.send(new HeadObjectCommand({ Bucket: bucket, Key: this.#key }), OPTIONS);
    // A reply to HEAD has no body, whatever its content type says.
    const trouble = await this.#try(bucket, ask, { bodiless: true });
    return trouble?.trouble === "denied" ? denied(bucket, "reading from", trouble) : trouble;
  }

  /** Undefined: the bucket answered, be it that the key is missing or the request not to its liking. */
  async #try(
    bucket: string,
    send: () => Promise<unknown>,
    { bodiless = false } = {},
  ): Promise<StoreError | undefined> {
    try {
      await send();
      return undefined;
    } catch (error) {
      const failure = failureOf(error);
      if (!failure) throw error;
      const seen = bodiless ? { ...failure, page: false } : failure;
      const trouble = storeError(seen, `bucket ${bucket}`, false);
      return trouble.trouble === "rejected" ? undefined : trouble;
    }
  }
}

function denied(bucket: string, what: string, { code, status }: StoreError): StoreError {
  return new StoreError({
    trouble: "bucket",
    code,
    status,
    message: `${what} the whole bucket ${bucket} is denied`,
  });
}
