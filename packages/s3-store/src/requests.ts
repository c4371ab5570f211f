/**
 * One request to S3, made once: with fresh credentials, a deadline and, for control requests, a slot. Every error
 * becomes a StoreError with the right classification. A second attempt is made only after a refusal: with renewed
 * credentials, or if neither the refusal nor the bucket gave a reason.
 *
 *   slot ─► region, credentials ─► connection ─► 2xx: the operation reads the reply
 *                    ▲                 │ refusal
 *                    │                 ├─► an answer (verdict.ts): the operation gives it a meaning
 *                    │                 └─► trouble ─► may the whole bucket be affected? ─► check it ─► StoreError
 *                    └── once more: the credentials could be renewed, or there was no reason ◄─┘
 */
import {
  AbortMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  type ServiceInputTypes,
  type ServiceOutputTypes,
} from "@aws-sdk/client-s3";
import { bodyDeadlineMs, LIMITS, StoreError } from "@sluice/core";
import {
  type BodyRequest,
  COMPLETES,
  READS,
  type ReplyHeaders,
  type S3Connection,
  type SdkCommand,
} from "./connection.ts";
import { failureOf, storeError, type S3Failure } from "./errors.ts";
import { listedObjects, listedUploads } from "./replies.ts";
import type { ExchangeOptions } from "./transport.ts";
import { type Answer, type Asked, type Verdict, verdictOf } from "./verdict.ts";

export interface Call extends ExchangeOptions {
  /** For messages: "UploadPart 7 of a/b.mp4". */
  what: string;
  bucket: string;
  /** It changes something: without a reply the outcome is unknown. */
  mutating?: boolean;
  /** The kind of request, to interpret its refusals; absent for a question of the probe. */
  asked?: Asked;
  /** The slots it uses; default "control". Parts need none, because the upload lane has already limited them. */
  turn?: "control" | "complete" | "none";
}

/** A refusal that the operation interprets itself; undefined: it is an error. */
type Expected<T> = (failure: S3Failure, answer: Answer | undefined) => T | undefined;

/** How an operation reads the result: the reply, and each answer that is an outcome of it (verdict.ts). */
export type Reading<O, T> = { [A in Answer]?: (failure: S3Failure) => T } & {
  reply(reply: O): T;
  /** Called with a refusal that is not an outcome, before it becomes an error. */
  refused?(failure: S3Failure): void;
};

export class S3Requests {
  readonly #connection: S3Connection;
  readonly #control = new Slots(LIMITS.controlRequests);
  /** Separate from the others, because a Complete may take minutes. */
  readonly #completes = new Slots(COMPLETES);
  /** Held until a stream from the store is read to its end. */
  readonly reads = new Slots(READS);
  readonly #check: BucketCheck;
  #refreshing: Promise<boolean> | undefined;
  #regionKnown = false;

  constructor(connection: S3Connection, place: CheckPlace) {
    this.#connection = connection;
    this.#check = new BucketCheck(connection, place);
  }

  async send<I extends ServiceInputTypes, O extends ServiceOutputTypes, T>(
    call: Call,
    command: SdkCommand<I, O>,
    reading: Reading<O, T>,
  ): Promise<T> {
    return await this.call(
      call,
      async (options) => reading.reply(await this.#connection.send(command, options)),
      meaningBy(reading),
    );
  }

  async put<T>(call: Call, request: BodyRequest, reading: Reading<ReplyHeaders, T>): Promise<T> {
    return await this.call(
      call,
      async (options) => reading.reply(await this.#connection.put(request, options)),
      meaningBy(reading),
    );
  }

  /** Time limit for a body of this size, in ms. */
  bodyDeadlineMs(bytes: number): number {
    return bodyDeadlineMs(bytes, this.#connection.settings);
  }

  /** The layer below `send` and `put`, for the probe, which interprets refusals differently. */
  async call<T>(
    options: Call,
    send: (options: ExchangeOptions) => Promise<T>,
    expected?: Expected<T>,
  ): Promise<T> {
    const run = () => this.#attempt(options, send, expected);
    switch (options.turn ?? "control") {
      case "none":
        return await run();
      case "complete":
        return await this.#completes.run(run);
      case "control":
        return await this.#control.run(run);
    }
  }

  async #attempt<T>(
    options: Call,
    send: (options: ExchangeOptions) => Promise<T>,
    expected: Expected<T> | undefined,
  ): Promise<T> {
    let renewed = false;
    let asked = false;
    for (;;) {
      await this.#identity(options.what);
      try {
        const answer = await send(options);
        if (this.#check.hasLeft) await this.#check.endLeft();
        return answer;
      } catch (error) {
        const failure = failureOf(error);
        if (!failure) throw error;
        const verdict = options.asked && verdictOf(failure, options.asked);
        const meant = expected?.(failure, verdict?.kind === "answer" ? verdict.answer : undefined);
        if (meant !== undefined) return meant;
        const trouble = await this.#judge(failure, verdict, options, asked);
        asked = true;
        if (!trouble) continue;
        if (trouble.trouble !== "credentials" || renewed || !(await this.#refresh())) throw trouble;
        renewed = true;
      }
    }
  }

  /** An error with its cause; undefined: the bucket answers, so the refusal may have been temporary. */
  async #judge(
    failure: S3Failure,
    verdict: Verdict | undefined,
    { what, bucket, mutating = false }: Call,
    lastWord: boolean,
  ): Promise<StoreError | undefined> {
    const own = verdict?.kind === "trouble" ? verdict : undefined;
    const trouble = storeError(failure, what, mutating, own?.trouble);
    // A reply to HeadObject has no body: expired credentials and a wrong clock look like any other refusal.
    const silent = !mutating && (failure.code === "HTTP403" || failure.code === "HTTP400");
    if (trouble.trouble !== "denied" && own?.asks !== true && !silent) return trouble;
    const whole = await this.#check.trouble(bucket, mutating ? "write" : "read");
    if (whole) return trouble.outcomeUnknown ? withUnknownOutcome(whole) : whole;
    return silent && !lastWord ? undefined : trouble;
  }

  /** The SDK caches credentials until shortly before they expire, so this is usually free. */
  async #identity(what: string): Promise<void> {
    if (!this.#regionKnown) await this.#findRegion();
    try {
      await withDeadline(this.#connection.config.credentials(), LIMITS.storeControlMs);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      throw new StoreError({
        trouble: "credentials",
        code: error instanceof Error ? error.name : "CredentialsProviderError",
        message: `${what}: no credentials: ${message}`,
      });
    }
  }

  async #findRegion(): Promise<void> {
    try {
      await this.#connection.config.region();
      this.#regionKnown = true;
    } catch {
      // The SDK's message names its own settings; the user must set ours.
      const message = "the bucket's region is unknown: set SLUICE_S3_REGION";
      throw new StoreError({ trouble: "bucket", code: "RegionMissing", message });
    }
  }

  /** Whether credentials other than the refused ones are available. One call at a time for the whole worker. */
  #refresh(): Promise<boolean> {
    this.#refreshing ??= this.#renew().finally(() => void (this.#refreshing = undefined));
    return this.#refreshing;
  }

  async #renew(): Promise<boolean> {
    const provider = this.#connection.config.credentials;
    try {
      const before = await provider();
      const after = await withDeadline(provider({ forceRefresh: true }), LIMITS.storeControlMs);
      return before.accessKeyId !== after.accessKeyId || before.sessionToken !== after.sessionToken;
    } catch {
      // The caller has the refusal, which is more informative.
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

function meaningBy<O, T>(reading: Reading<O, T>): Expected<T> {
  return (failure, answer) => {
    const meant = answer && reading[answer];
    if (meant) return meant(failure);
    reading.refused?.(failure);
    return undefined;
  };
}

type Access = "read" | "write";

/** An error of the bucket, met by a request that may have been carried out: its caller checks before it repeats it. */
function withUnknownOutcome({ trouble, code, message, status, retryAfterMs, cause }: StoreError): StoreError {
  return new StoreError({ trouble, code, message, status, retryAfterMs, cause, outcomeUnknown: true });
}

/** The common prefix of keys of the probe and of questions about the bucket. */
export function probeRoot(prefix: string): string {
  return `${prefix}.sluice-probe/`;
}

export interface CheckPlace {
  /** A prefix for which the worker has permissions. */
  prefix: string;
  /** Otherwise a HeadObject of a missing key proves nothing about the permission to read. */
  headMissingIs404: boolean;
}

const OPTIONS: ExchangeOptions = { deadlineMs: LIMITS.storeControlMs };

/** The key used to check the permission to write: an upload is opened there and aborted at once. */
export function askedKey(root: string): string {
  return `${root}asked`;
}

/**
 * Determines whether a refusal concerns one key or the whole bucket. Called after a refusal that does not say, with
 * requests that leave nothing behind, once for all concurrent callers.
 */
class BucketCheck {
  readonly #connection: S3Connection;
  readonly #key: string;
  readonly #prefix: string;
  readonly #headMissingIs404: boolean;
  readonly #asking = new Map<string, Promise<StoreError | undefined>>();
  /** Uploads that checked the permission to write and could not be aborted; by bucket. */
  readonly #left = new Map<string, string>();

  constructor(connection: S3Connection, place: CheckPlace) {
    this.#connection = connection;
    this.#prefix = probeRoot(place.prefix);
    this.#key = askedKey(this.#prefix);
    this.#headMissingIs404 = place.headMissingIs404;
  }

  /** The error of the whole bucket; undefined if it answers and grants this access somewhere. */
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
    const what = `bucket ${bucket}`;
    const objects = await this.#try(bucket, async () => {
      const command = new ListObjectsV2Command({ ...input, MaxKeys: 1 });
      return listedObjects(await this.#connection.send(command, OPTIONS), what);
    });
    if (objects?.trouble !== "denied") return objects;
    const uploads = await this.#try(bucket, async () => {
      const command = new ListMultipartUploadsCommand({ ...input, MaxUploads: 1 });
      return listedUploads(await this.#connection.send(command, OPTIONS), what);
    });
    return uploads?.trouble === "denied" ? denied(bucket, "access to", uploads) : uploads;
  }

  get hasLeft(): boolean {
    return this.#left.size > 0;
  }

  /** Called once the store answers again. What cannot be aborted now is left for the next call. */
  async endLeft(): Promise<void> {
    for (const bucket of this.#left.keys()) await this.#try(bucket, () => this.#end(bucket));
  }

  /**
   * Opening and aborting an upload needs the permissions of a write and leaves no object. The last one must have ended
   * before another is opened.
   */
  async #writing(bucket: string): Promise<StoreError | undefined> {
    const trouble = await this.#try(bucket, async () => {
      await this.#end(bucket);
      const place = { Bucket: bucket, Key: this.#key };
      const { UploadId } = await this.#connection.send(new CreateMultipartUploadCommand(place), OPTIONS);
      if (UploadId === undefined) return;
      this.#left.set(bucket, UploadId);
      await this.#end(bucket);
    });
    return trouble?.trouble === "denied" ? denied(bucket, "writing to", trouble) : trouble;
  }

  async #end(bucket: string): Promise<void> {
    const UploadId = this.#left.get(bucket);
    if (UploadId === undefined) return;
    const input = { Bucket: bucket, Key: this.#key, UploadId };
    try {
      await this.#connection.send(new AbortMultipartUploadCommand(input), OPTIONS);
    } catch (error) {
      if (failureOf(error)?.status !== 404) throw error;
    }
    if (this.#left.get(bucket) === UploadId) this.#left.delete(bucket);
  }

  async #reading(bucket: string): Promise<StoreError | undefined> {
    if (!this.#headMissingIs404) return undefined;
    const ask = () =>
      this.#connection.send(new HeadObjectCommand({ Bucket: bucket, Key: this.#key }), OPTIONS);
    // A reply to HEAD has no body, whatever its content type says.
    const trouble = await this.#try(bucket, ask, { bodiless: true });
    return trouble?.trouble === "denied" ? denied(bucket, "reading from", trouble) : trouble;
  }

  /** Undefined: the bucket answered, even if the key is missing or the request is rejected. */
  async #try(
    bucket: string,
    send: () => Promise<unknown>,
    { bodiless = false } = {},
  ): Promise<StoreError | undefined> {
    try {
      await send();
      return undefined;
    } catch (error) {
      if (error instanceof StoreError) return error;
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

/** Limits concurrency, in the order of the calls. */
class Slots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(slots: number) {
    this.#free = slots;
  }

  /** Resolves when a slot is free; disposing it passes it to the next caller. */
  async take(): Promise<Disposable> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => void this.#waiting.push(resolve));
    return { [Symbol.dispose]: () => this.#release() };
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    using _slot = await this.take();
    return await work();
  }

  #release(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#free += 1;
  }
}
