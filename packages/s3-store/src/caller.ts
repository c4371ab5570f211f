/**
 * One call to S3, made once: with fresh credentials, a deadline and, for control requests, a turn. Whatever goes wrong
 * leaves as a StoreError with the right trouble. A second attempt is made only after a refusal: with renewed
 * credentials, or when the refusal gave no reason and the bucket gives none either.
 */
import type { S3Client } from "@aws-sdk/client-s3";
import { LIMITS, StoreError } from "@sluice/core";
import { BucketCheck, type CheckPlace } from "./bucket-check.ts";
import { Slots } from "./slots.ts";
import { failureOf, storeError, type S3Failure } from "./errors.ts";
import { COMPLETES, READS, type S3Connection, type S3Settings } from "./connection.ts";
import type { DirectSender } from "./direct.ts";
import type { ExchangeOptions } from "./transport.ts";
import { type Answer, type Asked, type Verdict, verdictOf } from "./verdict.ts";

export interface CallOptions extends ExchangeOptions {
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
export type Expected<T> = (failure: S3Failure, answer: Answer | undefined) => T | undefined;

export class S3Caller {
  readonly client: S3Client;
  readonly direct: DirectSender;
  readonly #settings: S3Settings;
  readonly #control = new Slots(LIMITS.controlRequests);
  /** Apart from the others: a Complete may take minutes. */
  readonly #completes = new Slots(COMPLETES);
  /** Held until a stream from the store is read to its end. */
  readonly reads = new Slots(READS);
  readonly #check: BucketCheck;
  #refreshing: Promise<boolean> | undefined;
  #regionKnown = false;

  constructor(connection: S3Connection, place: CheckPlace) {
    this.client = connection.client;
    this.direct = connection.direct;
    this.#settings = connection.settings;
    this.#check = new BucketCheck(connection.client, place);
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
    options: CallOptions,
    send: (options: ExchangeOptions) => Promise<T>,
    expected: Expected<T> | undefined,
  ): Promise<T> {
    let renewed = false;
    let asked = false;
    for (;;) {
      await this.#identity(options.what);
      try {
        return await send(options);
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
    { what, bucket, mutating = false }: CallOptions,
    lastWord: boolean,
  ): Promise<StoreError | undefined> {
    const own = verdict?.kind === "trouble" ? verdict : undefined;
    const trouble = storeError(failure, what, mutating, own?.trouble);
    // A reply to HeadObject has no body: expired credentials and a wrong clock look like any other refusal.
    const silent = !mutating && (failure.code === "HTTP403" || failure.code === "HTTP400");
    if (trouble.trouble !== "denied" && own?.asks !== true && !silent) return trouble;
    const whole = await this.#check.trouble(bucket, mutating ? "write" : "read");
    if (whole) return whole;
    return silent && !lastWord ? undefined : trouble;
  }

  /** The SDK keeps credentials until shortly before they expire, so that this costs nothing most of the time. */
  async #identity(what: string): Promise<void> {
    if (!this.#regionKnown) await this.#findRegion();
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

  async #findRegion(): Promise<void> {
    try {
      await this.client.config.region();
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
