/**
 * One stream from its first byte to its last: check the file, decide, act, wait for a poke. Whatever wakes it, it
 * decides from the file, the record and the store, never from the event.
 */
import { InvariantError } from "../assert.ts";
import {
  CheckpointError,
  FileError,
  ObjectLostFailure,
  OwnershipLostError,
  StoppedError,
  StreamFailure,
} from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { takenKeys } from "../object/object-key.ts";
import type { WrittenBack } from "../ports/checkpoint-store.ts";
import { isoNow } from "../ports/clock.ts";
import type { FirstHad } from "../stream/growth.ts";
import { factsAsFields, sourceStateOf, type FileFacts } from "../stream/identity.ts";
import { bytesToFullPart } from "../stream/part-plan.ts";
import { pendingRanges } from "../stream/checkpoint.ts";
import { foreignBucket } from "../stream/own-buckets.ts";
import type { Part, Parts, StreamRecord } from "../stream/record.ts";
import type { SetApart } from "../stream/set-apart.ts";
import type { FailureReason } from "../stream/failures.ts";
import type { SourceState } from "../stream/source-state.ts";
import { failed } from "../stream/state.ts";
import type { ProcessorDeps, WatchRules, Whereabouts } from "../flow/dependencies.ts";
import { recogniseFirst } from "./completed-before.ts";
import { headObject, STREAM_ID_HEADER } from "../object/object-headers.ts";
import { FileHistory } from "./file-history.ts";
import { describeStep } from "./describe.ts";
import { sealStep } from "./seal.ts";
import { growStep } from "./grow.ts";
import { OwnedStream } from "../flow/owned-stream.ts";
import {
  progress,
  sendingDone,
  waitsForTrouble,
  type Outcome,
  type StreamContext,
  type Step,
} from "./stream-context.ts";
import { PatientStore } from "../flow/patient-store.ts";
import { SendingRate } from "../flow/sending-rate.ts";
import { Wakeup } from "../flow/wakeup.ts";
import { ABORT, isAbortWanted, reach, type ObjectContext } from "../object/context.ts";
import { abortUpload } from "../object/own-upload.ts";

export type { Outcome } from "./stream-context.ts";
import { SharedFile } from "../object/open-file.ts";

export class StreamProcessor {
  readonly #stream: StreamContext;
  readonly #deps: ProcessorDeps;
  readonly #work: AbortController;
  readonly #stop: AbortSignal;
  readonly #looked = Promise.withResolvers<void>();
  #draining = false;
  #abortRequested = false;

  private constructor(
    record: StreamRecord,
    parts: Iterable<Part>,
    rules: WatchRules,
    deps: ProcessorDeps,
    resumed: boolean,
    stop: AbortSignal,
  ) {
    this.#deps = deps;
    this.#stop = stop;
    this.#work = new AbortController();
    const signal = AbortSignal.any([stop, this.#work.signal]);
    const held = new OwnedStream(record, parts, deps, stop);
    if (resumed) doubtTail(held, deps);
    const store = new PatientStore(deps, held);
    const now = deps.clock.monotonicMs();
    this.#stream = {
      context: {
        held,
        rules,
        store,
        deps,
        signal,
        file: new SharedFile(),
        resumed,
        ended: new Set(),
        creates: { doubted: false },
        copy: {},
        recognise: deps.recovery.recognise,
        compared: new Map(),
        landed: { late: false },
        proof: {},
      },
      history: new FileHistory(now, record.longest_pause_ms),
      wakeup: new Wakeup(),
      sending: new Map(),
      rate: new SendingRate(),
      tailNumber: undefined,
      fillTo: undefined,
      reconciled: !resumed,
      askedFirst: false,
      requested: requestedBy(record),
      renamedAtCtimeNs: record.completed_by === "rename" ? record.file_ctime_ns : undefined,
      described: false,
      stored: {
        sinceMs: undefined,
        proved: false,
        facts: undefined,
        untilMs: undefined,
        unseen: undefined,
        searchedMs: undefined,
      },
      mismatches: 0,
      lost: { times: 0, atMs: Number.NEGATIVE_INFINITY, doubted: false, contradictions: 0, parts: 0 },
      trouble: undefined,
      progressAtMs: now,
      pokes: 0,
      markers: undefined,
    };
    if (isAbortWanted(record)) this.#beginAbort();
  }

  /** For a stream that this worker has just opened. */
  static begin(
    record: StreamRecord,
    rules: WatchRules,
    deps: ProcessorDeps,
    stop: AbortSignal,
  ): StreamProcessor {
    return new StreamProcessor(record, [], rules, deps, false, stop);
  }

  /** From the checkpoint alone: bucket, key, upload id, next part, offset and parts. Reads and writes nothing. */
  static initializeFromCheckpoint(
    record: StreamRecord,
    parts: Iterable<Part>,
    rules: WatchRules,
    deps: ProcessorDeps,
    stop: AbortSignal,
  ): StreamProcessor {
    return new StreamProcessor(record, parts, rules, deps, true, stop);
  }

  get record(): StreamRecord {
    return this.#stream.context.held.record;
  }

  get partsInFlight(): number {
    return this.#stream.sending.size;
  }

  /** Resolves when it has checked its file and, if necessary, asked the store what it has of it. */
  get checkedOnce(): Promise<void> {
    return this.#looked.promise;
  }

  /**
   * Redis was emptied or restored from an older state: what this process knows of the stream is written back if Redis
   * has less.
   */
  async ensureKept(): Promise<WrittenBack> {
    return await this.#stream.context.held.ensureKept();
  }

  get parts(): Parts {
    return this.#stream.context.held.parts;
  }

  /** Called with the file's size by other code that sees it: the file grows also while its record cannot be written. */
  measured(facts: FileFacts): void {
    const { file_inode: inode = facts.inode } = this.record;
    if (inode !== facts.inode) return;
    this.#stream.context.held.measured(facts);
    this.#keepSize(facts);
  }

  /**
   * While a request waits for the store, no step looks at the file: what is at risk is known all the same, and kept now and
   * then. A stream that cannot be written is met by its next step.
   */
  #keepSize(facts: FileFacts): void {
    const { context } = this.#stream;
    const { held, store } = context;
    const nowMs = this.#deps.clock.monotonicMs();
    const grows = held.kind === "opening" || held.kind === "processing";
    if (!grows || facts.size <= held.record.file_size || context.signal.aborted) return;
    if ((store.trouble ?? store.blocked) === undefined) return;
    if (nowMs - this.#stream.progressAtMs < LIMITS.progressEveryMs) return;
    this.#stream.progressAtMs = nowMs;
    held.note(factsAsFields(facts));
    held.update({ patch: {}, event: { type: "progress" } }).catch((error: unknown) => {
      this.#stream.trouble ??= error;
      this.poke();
    });
  }

  /** Known bytes on disk that are not in S3; includes the growth of a stored file while it waits to be tidied. */
  get unshippedBytes(): number {
    const { file_size: size, bytes_sent: sent } = this.record;
    return Math.max(0, Math.max(size, this.#stream.context.held.sizeSeen) - sent);
  }

  /** Bytes on disk that the loss of the host would lose: those that are not in S3, and those of a part that is in doubt. */
  get unprotectedBytes(): number {
    const { held } = this.#stream.context;
    return Math.max(0, Math.max(held.record.file_size, held.sizeSeen) - held.protectedBytes);
  }

  /** When the file first had the oldest byte that is not protected; undefined when there is none. */
  get unprotectedSince(): FirstHad | undefined {
    const { held } = this.#stream.context;
    return this.unprotectedBytes === 0 ? undefined : held.firstPast(held.protectedBytes);
  }

  /** Since when the next part has been full (monotonic ms); undefined while it is not. */
  get behindSinceMs(): number | undefined {
    const { part_plan: plan, next_part: next, bytes_sent: sent } = this.record;
    return this.#stream.context.held.firstPast(sent + bytesToFullPart(plan, next, sent) - 1)?.atMs;
  }

  /** Check again: an event, a rescan or a timer found a possible change. */
  poke(): void {
    this.#stream.pokes += 1;
    this.#stream.markers = undefined;
    this.#stream.wakeup.poke();
  }

  /** Bytes were written to its file: check again if that may make a difference. */
  written(): void {
    this.#stream.wakeup.mark();
  }

  /** Completes the file as it is now. `force`: even if a process is seen writing it. */
  async finalize(force: boolean): Promise<void> {
    if (this.#abortRequested) return;
    await this.#stream.context.held.update({
      patch: { requested_action: force ? "finalize_force" : "finalize" },
      log: [`finalize now was requested${force ? ", even if a process has the file open" : ""}`],
    });
    Object.assign(this.#stream.requested, { completion: "finalize", force });
    this.poke();
  }

  /** SLUICE_ON_TERM=seal: complete it if no process is seen writing it. */
  sealAtTerm(): void {
    this.#stream.requested.completion ??= "term";
    this.#stream.requested.ending = true;
    this.poke();
  }

  /**
   * Ends the stream; its parts are removed from S3, its file is not touched. Resolves when the request is in the
   * record: from then on its owner aborts it, and nobody completes it.
   */
  async abort(): Promise<void> {
    if (this.#abortRequested) return;
    await this.#stream.context.held.update({
      patch: { requested_action: ABORT },
      log: ["an abort was requested"],
    });
    await reach(this.#stream.context, "abort_asked");
    this.#beginAbort();
  }

  #beginAbort(): void {
    this.#abortRequested = true;
    this.#work.abort(new StoppedError("aborted by an operator"));
    this.poke();
  }

  /** Start no new parts; parts in flight are finished and checkpointed. */
  drain(): void {
    this.#draining = true;
    this.#stream.fillTo = undefined;
    this.poke();
  }

  /** Rejects only for a bug. Starts nothing after `stop` aborts. */
  async run(): Promise<Outcome> {
    try {
      return await this.#live();
    } catch (error) {
      return await this.#end(error).catch((second: unknown) => this.#giveUp(second));
    } finally {
      this.#looked.resolve();
    }
  }

  async #live(): Promise<Outcome> {
    const { wakeup, context } = this.#stream;
    const { clock, buckets } = this.#deps;
    const foreign = foreignBucket(this.record.s3_bucket, buckets);
    if (foreign !== undefined) throw new StreamFailure("access_denied", foreign);
    await reach(context, "stream_opened");
    while (!this.#draining && !this.#stop.aborted) {
      const startedMs = clock.monotonicMs();
      const step = await this.#step();
      if (step.kind === "ended") {
        await sendingDone(this.#stream);
        return step.outcome;
      }
      if (step.kind === "again") continue;
      if (!waitsForTrouble(this.record)) this.#looked.resolve();
      this.#stream.history.nextLookIn(step.ms, clock.monotonicMs());
      await wakeup.wait({ ms: step.ms, markedMs: step.writtenMs ?? 0 }, clock, context.signal);
      const restMs = LIMITS.lookEveryMs - (clock.monotonicMs() - startedMs);
      if (restMs > 0) await clock.sleep(restMs, context.signal);
    }
    await sendingDone(this.#stream);
    throw new StoppedError("the worker is stopping");
  }

  async #step(): Promise<Step> {
    const stream = this.#stream;
    stream.fillTo = undefined;
    try {
      if (stream.trouble !== undefined) throw stream.trouble;
      stream.context.signal.throwIfAborted();
      return await this.#stepOf(stream);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      // A problem of the volume, not of the file: everything stays as it is until it can be read again.
      stream.trouble = undefined;
      await progress(stream, { for: "volume", detail: error.message });
      return { kind: "wait", ms: LIMITS.lookAgainMs };
    }
  }

  async #stepOf(stream: StreamContext): Promise<Step> {
    switch (stream.context.held.kind) {
      case "opening":
      case "processing":
        return (await recogniseFirst(stream)) ?? (await growStep(stream));
      case "pending_completion":
        return (await recogniseFirst(stream)) ?? (await sealStep(stream));
      case "s3_completed":
        return await describeStep(stream);
      case "completed":
        return { kind: "ended", outcome: { kind: "completed" } };
      case "failed":
        throw new OwnershipLostError(`the stream is ${this.record.status}`);
    }
  }

  async #end(error: unknown): Promise<Outcome> {
    this.#work.abort(new StoppedError("the stream ended"));
    await sendingDone(this.#stream);
    if (error instanceof OwnershipLostError) return { kind: "lost", detail: error.message };
    if (this.#abortRequested && !(error instanceof InvariantError)) return await this.#abortNow();
    if (error instanceof ObjectLostFailure) {
      const { reason, message, uploadGone: upload } = error;
      return await this.#fail(reason, message, { object: true, upload });
    }
    if (error instanceof StreamFailure) return await this.#fail(error.reason, error.message);
    return await this.#giveUp(error);
  }

  /** If Redis is unavailable while the worker stops, the lease lapses. Any other unexpected error is a bug. */
  async #giveUp(error: unknown): Promise<Outcome> {
    if (error instanceof OwnershipLostError) return { kind: "lost", detail: error.message };
    const stopping = error instanceof StoppedError || error instanceof CheckpointError || this.#stop.aborted;
    if (!stopping) throw error;
    await this.#stream.context.held.release().catch((away: unknown) => {
      if (!(away instanceof CheckpointError)) throw away;
    });
    return { kind: "released" };
  }

  async #fail(
    reason: FailureReason,
    detail: string,
    gone: { object?: boolean; upload?: boolean } = {},
  ): Promise<Outcome> {
    const { held, rules } = this.#stream.context;
    const apart = setApartBy(reason, held.record, rules);
    const source = await this.#sourceState(reason);
    await reach(this.#stream.context, "failing");
    await held.move(
      "broke",
      {
        ...(gone.upload ? { dropParts: true } : {}),
        patch: {
          ...(gone.object ? NOT_STORED : {}),
          ...(gone.upload ? NOTHING_IN_S3 : {}),
          failure_reason: reason,
          failure_detail: detail,
          failed_at_utc: isoNow(this.#deps.clock),
          source_state: source,
          waiting_for: null,
          requested_action: null,
          ...(apart === undefined ? {} : { set_apart: apart }),
        },
        // Only live streams hold a path: another file that appears there must not wait.
        releasePath: true,
        ...(apart === undefined ? { stats: { failures: 1 } } : { releaseKeys: takenKeys(held.record) }),
        log: [`failed: ${reason}: ${detail}`],
      },
      failed(reason),
    );
    await reach(this.#stream.context, "failed");
    this.#deps.observer.moved(held.record, detail);
    return { kind: "failed", reason };
  }

  /** Where its file is now that the stream ends without it. */
  async #sourceState(reason: FailureReason): Promise<SourceState> {
    if (reason === "file_missing" || reason === "file_missing_on_resume") return "missing";
    const { held } = this.#stream.context;
    const { files, volume } = this.#deps;
    try {
      const state = sourceStateOf(this.record, await files.look(this.record.original_path), held.sentEnd);
      // What is not at its path may be at another one, or away with its volume.
      return state === "present" || state === "unknown"
        ? state
        : STATES[(await volume.whereabouts(this.record)).kind];
    } catch (error) {
      if (error instanceof FileError) return "unknown";
      throw error;
    }
  }

  async #abortNow(): Promise<Outcome> {
    // The work's own signal has aborted; these last requests depend only on the worker's.
    const context = { ...this.#stream.context, signal: this.#stop };
    const { held } = context;
    const kept = held.kind === "s3_completed" ? "" : await this.#removeUpload(context);
    const gone = held.kind !== "s3_completed" && kept === "";
    const landed =
      held.kind === "s3_completed" || (held.kind === "pending_completion" && (await isThere(context)));
    await reach(context, "aborting");
    const object = landed ? `; its object had been completed already and is at ${held.record.s3_key}` : "";
    return await this.#fail(
      "aborted_by_operator",
      `aborted by an operator; the file was not touched${object}${kept}`,
      { upload: gone },
    );
  }

  /** "" if it no longer exists. The store may keep refusing this key; the stream still ends, and reports it. */
  async #removeUpload(context: ObjectContext): Promise<string> {
    try {
      await abortUpload(context);
      return "";
    } catch (error) {
      if (!(error instanceof StreamFailure)) throw error;
      return `; its upload could not be removed, a purge tries again: ${error.message}`;
    }
  }
}

/** The owner before may have had a tail in flight, under the number of the first part that is not full. */
function doubtTail(held: OwnedStream, { clock, bodyDeadlineMs }: ProcessorDeps): void {
  const { s3_upload_id: upload, protected_bytes: guarded, file_size: size } = held.record;
  if (upload === undefined || guarded === undefined) return;
  const [next] = pendingRanges(held.parts, held.plan, Number.MAX_SAFE_INTEGER, { tail: false, limit: 1 });
  if (next === undefined) return;
  const bytes = Math.min(next.bytes, Math.max(0, size - next.offset));
  held.doubts({ number: next.number, untilMs: clock.monotonicMs() + bodyDeadlineMs(bytes) });
}

/** A Complete or Put may have been in flight when the abort came. */
async function isThere(context: ObjectContext): Promise<boolean> {
  const { s3_bucket: bucket, s3_key: key, id } = context.held.record;
  if (key === undefined) return false;
  const head = await headObject(context, { bucket, key });
  return head.kind === "found" && head.object.metadata[STREAM_ID_HEADER] === id;
}

const STATES: Readonly<Record<Whereabouts["kind"], SourceState>> = {
  back: "present",
  renamed: "present",
  moved: "present",
  replaced: "replaced",
  overtaken: "replaced",
  offline: "unknown",
  missing: "missing",
};

/** For retry, verify and the pages, these fields mean that the object exists. */
const NOT_STORED = { sealed_at_utc: null, etag: null };

const NOTHING_IN_S3 = {
  s3_upload_id: null,
  next_part: 1,
  bytes_sent: 0,
  create_intent_at_utc: null,
  upload_aborts_at_utc: null,
};

/** A file that vanished while it had a temporary name never was a recording: a download that was given up. */
function setApartBy(
  reason: FailureReason,
  { original_path: path }: StreamRecord,
  { temporaryNames }: WatchRules,
): SetApart | undefined {
  const vanished = reason === "file_missing" || reason === "file_missing_on_resume";
  return vanished && temporaryNames.suffixOf(path) !== undefined ? "temporary_name" : undefined;
}

function requestedBy(record: StreamRecord): StreamContext["requested"] {
  if (record.requested_action === "finalize_force") return { completion: "finalize", force: true };
  if (record.requested_action === "finalize") return { completion: "finalize", force: false };
  return { force: false };
}
