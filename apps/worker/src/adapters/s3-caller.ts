/**
 * One call to S3, made once: with fresh credentials, a deadline and, for control requests, a turn. Whatever goes wrong
 * leaves as a StoreError with the right trouble; a second attempt is made only when credentials were renewed.
 */
import { ListMultipartUploadsCommand, ListObjectsV2Command, type S3Client } from "@aws-sdk/client-s3";
import { LIMITS, StoreError } from "@sluice/core";
import { Slots } from "./s3-slots.ts";
import { failureOf, storeError, type S3Failure } from "./s3-errors.ts";
import type { S3Connection, S3Settings } from "./s3-client.ts";
import type { DirectSender } from "./s3-direct.ts";
import type { ExchangeOptions } from "./s3-transport.ts";

export interface CallOptions extends ExchangeOptions {
  /** For messages: "UploadPart 7 of a/b.mp4". */
  what: string;
  bucket: string;
  /** Changes something: an answer that never came leaves the outcome unknown. */
  mutating?: boolean;
  /** Takes no turn: the caller has bounded it already. */
  unbounded?: boolean;
}

/** A refusal the operation gives a meaning of its own; undefined: it is trouble. */
export type Expected<T> = (failure: S3Failure) => T | undefined;

export class S3Caller {
  readonly client: S3Client;
  readonly direct: DirectSender;
  readonly #settings: S3Settings;
  readonly #control = new Slots(LIMITS.controlRequests);
  /** Where the bucket as a whole is asked: a prefix the worker has rights on. */
  readonly #askPrefix: string;
  #refreshing: Promise<boolean> | undefined;
  readonly #asking = new Map<string, Promise<StoreError | undefined>>();

  constructor(connection: S3Connection, askPrefix: string) {
    this.client = connection.client;
    this.direct = connection.direct;
    this.#settings = connection.settings;
    this.#askPrefix = askPrefix;
  }

  /** Time a body of this size may take, in ms. */
  bodyDeadlineMs(bytes: number): number {
    const { bandwidth, uploadConcurrency } = this.#settings;
    // Under a bandwidth limit a body waits for its share of it.
    const share = bandwidth === undefined ? Number.POSITIVE_INFINITY : bandwidth / (2 * uploadConcurrency);
    const slowest = Math.min(LIMITS.storeSlowestBytesPerSecond, share);
    return LIMITS.storeBodyBaseMs + Math.ceil((bytes * 1000) / slowest);
  }

  async call<T>(
    options: CallOptions,
    send: (options: ExchangeOptions) => Promise<T>,
    expected?: Expected<T>,
  ): Promise<T> {
    const run = () => this.#attempt(options, send, expected, true);
    return options.unbounded === true ? await run() : await this.#control.run(run);
  }

  async #attempt<T>(
    options: CallOptions,
    send: (options: ExchangeOptions) => Promise<T>,
    expected: Expected<T> | undefined,
    mayRefresh: boolean,
  ): Promise<T> {
    await this.#identity(options.what);
    try {
      return await send(options);
    } catch (error) {
      const failure = failureOf(error);
      if (!failure) throw error;
      const meant = expected?.(failure);
      if (meant !== undefined) return meant;
      const trouble = await this.#judge(failure, options);
      if (trouble.trouble === "credentials" && mayRefresh && (await this.#refresh())) {
        return await this.#attempt(options, send, expected, false);
      }
      throw trouble;
    }
  }

  /** A refusal without a body, or of one key, is understood by asking for something that has an answer. */
  async #judge(failure: S3Failure, { what, bucket, mutating = false }: CallOptions): Promise<StoreError> {
    const trouble = storeError(failure, what, mutating);
    const bodyless =
      failure.code.startsWith("HTTP4") || failure.code === "Forbidden" || failure.code === "BadRequest";
    if (trouble.trouble !== "denied" && !bodyless) return trouble;
    return (await this.#bucketTrouble(bucket)) ?? trouble;
  }

  /** Trouble of the bucket as a whole; undefined when it answers. Asked once for all who want to know now. */
  #bucketTrouble(bucket: string): Promise<StoreError | undefined> {
    const asking = this.#asking.get(bucket);
    if (asking) return asking;
    const asked = this.#askBucket(bucket).finally(() => this.#asking.delete(bucket));
    this.#asking.set(bucket, asked);
    return asked;
  }

  async #askBucket(bucket: string): Promise<StoreError | undefined> {
    const input = { Bucket: bucket, Prefix: this.#askPrefix };
    const options: ExchangeOptions = { deadlineMs: LIMITS.storeControlMs };
    const asked = [
      () => this.client.send(new ListObjectsV2Command({ ...input, MaxKeys: 1 }), options),
      () => this.client.send(new ListMultipartUploadsCommand({ ...input, MaxUploads: 1 }), options),
    ];
    let denied: StoreError | undefined;
    for (const ask of asked) {
      try {
        await ask();
        return undefined;
      } catch (error) {
        const failure = failureOf(error);
        if (!failure) throw error;
        const trouble = storeError(failure, `bucket ${bucket}`, false);
        if (trouble.trouble === "rejected") return undefined;
        if (trouble.trouble !== "denied") return trouble;
        denied = trouble;
      }
    }
    return new StoreError({
      trouble: "bucket",
      code: denied?.code ?? "AccessDenied",
      status: denied?.status,
      message: `access to the whole bucket ${bucket} is denied`,
    });
  }

  /** The SDK keeps credentials until shortly before they expire, so that this costs nothing most of the time. */
  async #identity(what: string): Promise<void> {
    try {
      await withDeadline(this.client.config.credentials(), LIMITS.storeControlMs);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      throw new StoreError({
        trouble: "credentials",
        code: error instanceof Error ? error.name : "CredentialsProviderError",
        message: `${what}: no credentials: ${message}`,
      });
    }
  }

  /** Whether other credentials are to be had than those that were refused. One at a time for the whole worker. */
  #refresh(): Promise<boolean> {
    this.#refreshing ??= this.#renew().finally(() => void (this.#refreshing = undefined));
    return this.#refreshing;
  }

  async #renew(): Promise<boolean> {
    const provider = this.client.config.credentials;
    try {
      const before = await provider();
      const after = await withDeadline(provider({ forceRefresh: true }), LIMITS.storeControlMs);
      return before.accessKeyId !== after.accessKeyId || before.sessionToken !== after.sessionToken;
    } catch {
      // Whoever asks has the refusal at hand, which says more.
      return false;
    }
  }
}

async function withDeadline<T>(promise: Promise<T>, ms: number): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`no answer within ${ms / 1000} s`)), ms);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
