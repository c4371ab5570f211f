/**
 * One request to S3, made once: with fresh credentials, a deadline and, for control requests, a turn. Whatever goes wrong
 * leaves as a StoreError with the right trouble. A second attempt is made only after a refusal: with renewed
 * credentials, or when the refusal gave no reason and the bucket gives none either.
 *
 *   turn ─► region, credentials ─► connection ─► 2xx: the operation reads the reply
 *                    ▲                 │ refusal
 *                    │                 ├─► an answer (verdict.ts): the operation gives it a meaning
 *                    │                 └─► trouble ─► may the whole bucket be meant? ─► ask it ─► StoreError
 *                    └── once more: the credentials could be renewed, or nobody gave a reason ◄─┘
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
import type { ExchangeOptions } from "./transport.ts";
import { type Answer, type Asked, type Verdict, verdictOf } from "./verdict.ts";

export interface Call extends ExchangeOptions {
  /** For messages: "UploadPart 7 of a/b.mp4". */
  what: string;
  bucket: string;
  /** Changes something: an answer that never came leaves the outcome unknown. */
  mutating?: boolean;
  /** What it is, so that its refusals are understood; absent for a question of the probe. */
  asked?: Asked;
  /** Whose turn it takes; default "control". Parts take none: the upload lane has bounded them already. */
  turn?: "control" | "complete" | "none";
}

/** A refusal the operation gives a meaning of its own; undefined: it is trouble. */
type Expected<T> = (failure: S3Failure, answer: Answer | undefined) => T | undefined;

/** How an operation reads what comes back: the reply, and each answer that is an outcome of it (verdict.ts). */
export type Reading<O, T> = { [A in Answer]?: (failure: S3Failure) => T } & {
  reply(reply: O): T;
  /** Sees a refusal that is no answer before it becomes trouble. */
  refused?(failure: S3Failure): void;
};

export class S3Requests {
  readonly #connection: S3Connection;
  readonly #control = new Slots(LIMITS.controlRequests);
  /** Apart from the others: a Complete may take minutes. */
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

  /** Time a body of this size may take, in ms. */
  bodyDeadlineMs(bytes: number): number {
    return bodyDeadlineMs(bytes, this.#connection.settings);
  }

  /** The layer below `send` and `put`, for who reads refusals otherwise: the probe. */
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

  /** Trouble that names its cause; undefined: the bucket answers, so that the refusal may have been of the moment. */
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

  /** The SDK keeps credentials until shortly before they expire, so that this costs nothing most of the time. */
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
      // The SDK's message names its own settings; ours is the one to set.
      const message = "the bucket's region is not known: set SLUICE_S3_REGION";
      throw new StoreError({ trouble: "bucket", code: "RegionMissing", message });
    }
  }

  /** Whether other credentials are to be had than those that were refused. One at a time for the whole worker. */
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

function meaningBy<O, T>(reading: Reading<O, T>): Expected<T> {
  return (failure, answer) => {
    const meant = answer && reading[answer];
    if (meant) return meant(failure);
    reading.refused?.(failure);
    return undefined;
  };
}

type Access = "read" | "write";

/** The bucket's trouble, met by a request that may have been carried out: whoever made it looks before it asks again. */
function withUnknownOutcome({ trouble, code, message, status, retryAfterMs, cause }: StoreError): StoreError {
  return new StoreError({ trouble, code, message, status, retryAfterMs, cause, outcomeUnknown: true });
}

/** Where probe and questions about the bucket have their keys. */
export function probeRoot(prefix: string): string {
  return `${prefix}.sluice-probe/`;
}

export interface CheckPlace {
  /** A prefix the worker has rights on. */
  prefix: string;
  /** Otherwise a HeadObject of a missing key says nothing of the right to read. */
  headMissingIs404: boolean;
}

const OPTIONS: ExchangeOptions = { deadlineMs: LIMITS.storeControlMs };

/** The key by which the right to write is asked for: an upload is opened there and aborted at once. */
export function askedKey(root: string): string {
  return `${root}asked`;
}

/**
 * Is it this key or the whole bucket? Asked after a refusal that does not say, with requests that leave nothing
 * behind, once for all who want to know at the same time.
 */
class BucketCheck {
  readonly #connection: S3Connection;
  readonly #key: string;
  readonly #prefix: string;
  readonly #headMissingIs404: boolean;
  readonly #asking = new Map<string, Promise<StoreError | undefined>>();
  /** Uploads by which the right to write was asked for, and which the store did not abort; by bucket. */
  readonly #left = new Map<string, string>();

  constructor(connection: S3Connection, place: CheckPlace) {
    this.#connection = connection;
    this.#prefix = probeRoot(place.prefix);
    this.#key = askedKey(this.#prefix);
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
      this.#connection.send(new ListObjectsV2Command({ ...input, MaxKeys: 1 }), OPTIONS),
    );
    if (objects?.trouble !== "denied") return objects;
    const uploads = await this.#try(bucket, () =>
      this.#connection.send(new ListMultipartUploadsCommand({ ...input, MaxUploads: 1 }), OPTIONS),
    );
    return uploads?.trouble === "denied" ? denied(bucket, "access to", uploads) : uploads;
  }

  get hasLeft(): boolean {
    return this.#left.size > 0;
  }

  /** Once the store answers again. What it does not abort now stays for the next time. */
  async endLeft(): Promise<void> {
    for (const bucket of this.#left.keys()) await this.#try(bucket, () => this.#end(bucket));
  }

  /**
   * An upload opened and aborted needs the rights of a write and leaves no object. Before another one is opened the last
   * one has ended.
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

/** At most so many at once, in the order they came. */
class Slots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(slots: number) {
    this.#free = slots;
  }

  /** Resolves when a slot is free; disposing it hands it to the next in line. */
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
