/**
 * One stream from its first byte to its last: look at the file, decide, act, wait for a poke. Whatever wakes it, it
 * decides from the file, the record and the store, never from the event.
 */
import { InvariantError } from "../assert.ts";
import { CheckpointError, FileError, OwnershipLostError, StoppedError, StreamFailure } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import type { Part, StreamRecord } from "../stream/record.ts";
import { failed, type FailureReason } from "../stream/state.ts";
import type { ProcessorDeps, WatchRules } from "./dependencies.ts";
import { headObject, STREAM_ID_HEADER } from "./existing-object.ts";
import { FileHistory } from "./file-history.ts";
import { describeStep, sealStep } from "./finish.ts";
import { growStep } from "./grow.ts";
import { HeldStream } from "./held-stream.ts";
import { progress, reach, sendingDone, waitsForTrouble, type Ending, type Life, type Step } from "./life.ts";
import type { OpenContext } from "./open-object.ts";
import { PatientStore } from "./patient-store.ts";
import { SharedFile } from "./shared-file.ts";
import { abortUpload } from "./supersede.ts";
import { Wakeup } from "./wakeup.ts";

export type { Ending } from "./life.ts";

export class StreamProcessor {
  readonly #life: Life;
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
    const held = new HeldStream(record, parts, deps, stop);
    const store = new PatientStore(deps, held);
    const now = deps.clock.monotonicMs();
    this.#life = {
      context: {
        held,
        rules,
        store,
        deps,
        signal,
        file: new SharedFile(),
        resumed,
        ended: new Set(),
        recognise: deps.recovery.recognise,
      },
      history: new FileHistory(now, record.longest_pause_ms),
      wakeup: new Wakeup(),
      sending: new Map(),
      fillTo: undefined,
      reconciled: !resumed,
      requested: requestedBy(record),
      renamedAtCtimeNs: record.completed_by === "rename" ? record.file_ctime_ns : undefined,
      described: false,
      mismatches: 0,
      trouble: undefined,
      progressAtMs: now,
    };
  }

  /** For a stream just opened by this worker. */
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
    return this.#life.context.held.record;
  }

  get partsInFlight(): number {
    return this.#life.sending.size;
  }

  /** Resolves when it has looked at its file and, where that takes the store, asked there what it holds of it. */
  get lookedOnce(): Promise<void> {
    return this.#looked.promise;
  }

  /** Look again: an event, a rescan or a timer thinks something changed. */
  poke(): void {
    this.#life.wakeup.poke();
  }

  /** Completes the file as it stands. `force`: even while a process is seen writing it. */
  async finalize(force: boolean): Promise<void> {
    await this.#life.context.held.update({
      patch: { requested_action: force ? "finalize_force" : "finalize" },
      log: [`finalize now was asked for${force ? ", whoever may hold it open" : ""}`],
    });
    Object.assign(this.#life.requested, { completion: "finalize", force });
    this.poke();
  }

  /** SLUICE_ON_TERM=seal: complete it if nobody is seen writing it. */
  sealAtTerm(): void {
    this.#life.requested.completion ??= "term";
    this.poke();
  }

  /** Ends the stream; its parts are removed from S3, its file is not touched. */
  abort(): void {
    this.#abortRequested = true;
    this.#work.abort(new StoppedError("aborted by an operator"));
    this.poke();
  }

  /** Begin nothing new; parts in flight are finished and checkpointed. */
  drain(): void {
    this.#draining = true;
    this.#life.fillTo = undefined;
    this.poke();
  }

  /** Rejects only for a bug. Never begins anything after `stop` aborts. */
  async run(): Promise<Ending> {
    try {
      return await this.#live();
    } catch (error) {
      return await this.#end(error).catch((second: unknown) => this.#letGo(second));
    } finally {
      this.#looked.resolve();
    }
  }

  async #live(): Promise<Ending> {
    const { wakeup, context } = this.#life;
    const { clock } = this.#deps;
    await reach(context, "stream_opened");
    while (!this.#draining && !this.#stop.aborted) {
      const startedMs = clock.monotonicMs();
      const step = await this.#step();
      if (step.kind === "ended") {
        await sendingDone(this.#life);
        return step.ending;
      }
      if (step.kind === "again") continue;
      if (!waitsForTrouble(this.record)) this.#looked.resolve();
      await wakeup.wait(step.ms, clock, context.signal);
      const restMs = LIMITS.lookEveryMs - (clock.monotonicMs() - startedMs);
      if (restMs > 0) await clock.sleep(restMs, context.signal);
    }
    await sendingDone(this.#life);
    throw new StoppedError("the worker is stopping");
  }

  async #step(): Promise<Step> {
    const life = this.#life;
    life.fillTo = undefined;
    try {
      if (life.trouble !== undefined) throw life.trouble;
      life.context.signal.throwIfAborted();
      return await this.#stepOf(life);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      // The volume's trouble, not the file's: everything stays as it is until it can be read again.
      life.trouble = undefined;
      await progress(life, { for: "volume", detail: error.message });
      return { kind: "wait", ms: LIMITS.lookAgainMs };
    }
  }

  async #stepOf(life: Life): Promise<Step> {
    switch (life.context.held.kind) {
      case "opening":
      case "processing":
        return await growStep(life);
      case "pending_completion":
        return await sealStep(life);
      case "s3_completed":
        return await describeStep(life);
      case "completed":
        return { kind: "ended", ending: { kind: "completed" } };
      case "failed":
        throw new OwnershipLostError(`the stream is ${this.record.status}`);
    }
  }

  async #end(error: unknown): Promise<Ending> {
    this.#work.abort(new StoppedError("the stream ended"));
    await sendingDone(this.#life);
    if (error instanceof OwnershipLostError) return { kind: "lost", detail: error.message };
    if (error instanceof StreamFailure) return await this.#fail(error.reason, error.message);
    if (this.#abortRequested && !(error instanceof InvariantError)) return await this.#abortNow();
    return await this.#letGo(error);
  }

  /** With Redis away while the worker stops, the lease lapses by itself. Anything else unexpected is a bug. */
  async #letGo(error: unknown): Promise<Ending> {
    if (error instanceof OwnershipLostError) return { kind: "lost", detail: error.message };
    const stopping = error instanceof StoppedError || error instanceof CheckpointError || this.#stop.aborted;
    if (!stopping) throw error;
    await this.#life.context.held.release().catch((away: unknown) => {
      if (!(away instanceof CheckpointError)) throw away;
    });
    return { kind: "released" };
  }

  async #fail(
    reason: FailureReason,
    detail: string,
    upload: { gone: boolean } = { gone: false },
  ): Promise<Ending> {
    const { held } = this.#life.context;
    await reach(this.#life.context, "failing");
    await held.move(
      "broke",
      {
        ...(upload.gone ? { dropParts: true } : {}),
        patch: {
          ...(upload.gone ? NOTHING_IN_S3 : {}),
          failure_reason: reason,
          failure_detail: detail,
          waiting_for: null,
          requested_action: null,
        },
        // Only live streams hold a path: another file that comes to stand there is not kept waiting.
        releasePath: true,
        log: [`failed: ${reason}: ${detail}`],
        stats: { failures: 1 },
      },
      failed(reason),
    );
    await reach(this.#life.context, "failed");
    this.#deps.observer.moved(held.record, detail);
    return { kind: "failed", reason };
  }

  async #abortNow(): Promise<Ending> {
    // The work's own signal has ended; these last requests answer to the worker's alone.
    const context = { ...this.#life.context, signal: this.#stop };
    const { held } = context;
    const gone = held.kind !== "s3_completed";
    if (gone) await abortUpload(context);
    const landed = held.kind === "pending_completion" && (await isThere(context));
    await reach(context, "aborting");
    const object = landed
      ? `; its object had been completed already and stands at ${held.record.s3_key}`
      : "";
    return await this.#fail(
      "aborted_by_operator",
      `aborted by an operator; the file was not touched${object}`,
      {
        gone,
      },
    );
  }
}

/** A Complete or Put may have been under way when the abort came. */
async function isThere(context: OpenContext): Promise<boolean> {
  const { s3_bucket: bucket, s3_key: key, id } = context.held.record;
  if (key === undefined) return false;
  const head = await headObject(context, { bucket, key });
  return head.kind === "found" && head.object.metadata[STREAM_ID_HEADER] === id;
}

const NOTHING_IN_S3 = {
  s3_upload_id: null,
  next_part: 1,
  bytes_sent: 0,
  create_intent_at_utc: null,
  upload_aborts_at_utc: null,
};

function requestedBy(record: StreamRecord): Life["requested"] {
  if (record.requested_action === "finalize_force") return { completion: "finalize", force: true };
  if (record.requested_action === "finalize") return { completion: "finalize", force: false };
  return { force: false };
}
