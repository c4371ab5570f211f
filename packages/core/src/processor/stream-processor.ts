/**
 * One stream from its first byte to its last: look at the file, decide, act, wait for a poke. Whatever wakes it, it
 * decides from the file, the record and the store, never from the event.
 */
import { CheckpointError, OwnershipLostError, StoppedError, StreamFailure } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import type { Part, StreamRecord } from "../stream/record.ts";
import { failed, type FailureReason } from "../stream/state.ts";
import type { ProcessorDeps, WatchRules } from "./dependencies.ts";
import { FileHistory } from "./file-history.ts";
import { growStep } from "./grow.ts";
import { HeldStream } from "./held-stream.ts";
import type { OpenContext } from "./open-object.ts";
import { PatientStore } from "./patient-store.ts";
import { describeStep, sealStep } from "./finish.ts";
import { Wakeup } from "./wakeup.ts";

/** How a processor's work on its stream ended. */
export type Ending =
  | { kind: "completed" }
  | { kind: "failed"; reason: FailureReason }
  /** Another file stands at the path: its stream is `successor`. */
  | { kind: "superseded"; successor: StreamRecord }
  /** Given back unfinished, for the next start or another worker. */
  | { kind: "released" }
  /** Another worker took it, or it was purged. */
  | { kind: "lost"; detail: string };

export type Step = { kind: "wait"; ms: number } | { kind: "again" } | { kind: "ended"; ending: Ending };

/** What the steps of a stream share. `context` changes nothing by itself. */
export interface Life {
  readonly context: OpenContext;
  readonly history: FileHistory;
  readonly wakeup: Wakeup;
  /** Parts being sent, by number. */
  readonly sending: Map<number, Promise<void>>;
  /** A resumed stream's upload has been compared with S3. */
  reconciled: boolean;
  /** The stream was live when this process started. */
  readonly resumed: boolean;
  readonly requested: { completion?: "finalize" | "term"; force: boolean };
  /** ctime at the rename that dropped a temporary suffix: whatever is written later has a later mtime. */
  renamedAtCtimeNs: string | undefined;
  /** The metadata object is written. */
  described: boolean;
  /** The first error of a part being sent, for the next step to meet. */
  trouble: unknown;
  progressAtMs: number;
}

export class StreamProcessor {
  readonly #life: Life;
  readonly #deps: ProcessorDeps;
  readonly #work: AbortController;
  readonly #stop: AbortSignal;
  #draining = false;
  #abortRequested = false;

  private constructor(record: StreamRecord, parts: Iterable<Part>, rules: WatchRules, deps: ProcessorDeps, resumed: boolean, stop: AbortSignal) {
    this.#deps = deps;
    this.#stop = stop;
    this.#work = new AbortController();
    const signal = AbortSignal.any([stop, this.#work.signal]);
    const held = new HeldStream(record, parts, deps, stop);
    const now = deps.clock.monotonicMs();
    this.#life = {
      context: { held, rules, store: new PatientStore(deps, () => held.record), deps, signal },
      history: new FileHistory(now, record.longest_pause_ms),
      wakeup: new Wakeup(),
      sending: new Map(),
      reconciled: !resumed,
      resumed,
      requested: requestedBy(record),
      renamedAtCtimeNs: record.completed_by === "rename" ? record.file_ctime_ns : undefined,
      described: false,
      trouble: undefined,
      progressAtMs: now,
    };
  }

  /** For a stream just opened by this worker. */
  static begin(record: StreamRecord, rules: WatchRules, deps: ProcessorDeps, stop: AbortSignal): StreamProcessor {
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
    this.poke();
  }

  /** Rejects only for a bug. Never begins anything after `stop` aborts. */
  async run(): Promise<Ending> {
    try {
      const ending = await this.#live();
      await Promise.allSettled(this.#life.sending.values());
      if (ending) return ending;
      await this.#life.context.held.release();
      return { kind: "released" };
    } catch (error) {
      return await this.#end(error);
    }
  }

  async #live(): Promise<Ending | undefined> {
    const { wakeup, context } = this.#life;
    const { clock } = this.#deps;
    while (!this.#draining && !this.#stop.aborted) {
      const startedMs = clock.monotonicMs();
      const step = await this.#step();
      if (step.kind === "ended") return step.ending;
      if (step.kind === "again") continue;
      await wakeup.wait(step.ms, clock, context.signal);
      const restMs = LIMITS.lookEveryMs - (clock.monotonicMs() - startedMs);
      if (restMs > 0) await clock.sleep(restMs, context.signal);
    }
    return undefined;
  }

  async #step(): Promise<Step> {
    const life = this.#life;
    if (life.trouble !== undefined) throw life.trouble;
    life.context.signal.throwIfAborted();
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
    const { held } = this.#life.context;
    this.#work.abort(new StoppedError("the stream ended"));
    await Promise.allSettled(this.#life.sending.values());
    if (error instanceof OwnershipLostError) return { kind: "lost", detail: error.message };
    if (error instanceof StreamFailure) return await this.#fail(error.reason, error.message);
    if (this.#abortRequested) return await this.#abortNow();
    if (!(error instanceof StoppedError || this.#stop.aborted)) throw error;
    // Stopped at once: with Redis away the lease lapses by itself.
    await held.release().catch((away: unknown) => {
      if (!(away instanceof CheckpointError)) throw away;
    });
    return { kind: "released" };
  }

  async #fail(reason: FailureReason, detail: string): Promise<Ending> {
    const { held } = this.#life.context;
    await held.move(
      "broke",
      {
        patch: { failure_reason: reason, failure_detail: detail, waiting_for: null, requested_action: null },
        log: [`failed: ${reason}: ${detail}`],
        stats: { failures: 1 },
      },
      failed(reason),
    );
    this.#deps.observer.moved(held.record, detail);
    return { kind: "failed", reason };
  }

  async #abortNow(): Promise<Ending> {
    const { held } = this.#life.context;
    const { s3_bucket: bucket, s3_key: key, s3_upload_id: uploadId } = held.record;
    if (key !== undefined && uploadId !== undefined && held.kind !== "s3_completed") {
      const { store } = this.#life.context;
      await store.call("AbortMultipartUpload", () => this.#deps.store.abort({ bucket, key, uploadId }), this.#stop);
      await held.update({ dropParts: true, patch: { s3_upload_id: null, next_part: 1, bytes_sent: 0, create_intent_at_utc: null } });
    }
    return await this.#fail("aborted_by_operator", "aborted by an operator; the file was not touched");
  }
}

function requestedBy(record: StreamRecord): Life["requested"] {
  if (record.requested_action === "finalize_force") return { completion: "finalize", force: true };
  if (record.requested_action === "finalize") return { completion: "finalize", force: false };
  return { force: false };
}
