/**
 * The running processors, at most one per stream. `start` is the only entry: whatever makes a stream run here has
 * opened, claimed or moved its record before, and gives the reason. Each processor is supervised to its end.
 *
 *   found      a file without a stream       its record was opened       supervisor
 *   resumed    it has no living owner        claimed                     takeover/recoverer
 *   retried    an operator asked for it      claimed, moved from failed  requests/retry
 *   recovered  its file can be read again    the same                    requests/retry
 *   adopted    its source no longer exists   claimed, renamed            requests/adopt-request
 *   successor  it replaces another stream    opened by that stream       supervisor
 */
import {
  StreamProcessor,
  assert,
  displayPath,
  type Outcome,
  type Part,
  type ProcessorDeps,
  type StreamRecord,
} from "@sluice/core";
import { trouble } from "@sluice/control/troubles";
import type { SupervisorLog } from "./supervisor.ts";
import type { Watch } from "../files/watch/watch.ts";

export type StartReason = "found" | "resumed" | "retried" | "recovered" | "adopted" | "successor";

/** Reasons for which nothing was sent before. */
const NEW: ReadonlySet<StartReason> = new Set(["found", "successor"]);

export interface Start {
  because: StartReason;
  record: StreamRecord;
  parts?: Iterable<Part>;
  watch: Watch;
}

/** While this is held, no other code here claims or starts these streams. */
export interface Held extends Disposable {
  has(id: string): boolean;
}

export interface Running {
  processor: StreamProcessor;
  watch: Watch;
  ended: Promise<void>;
}

export interface PoolDeps {
  processing: ProcessorDeps;
  onBegin(record: StreamRecord): void;
  /** The stream counts as running until this resolves: its successor has started by then. */
  onEnd(outcome: Outcome | { kind: "faulty" }, running: Running): void | Promise<void>;
  /** Claims exactly this live stream and resumes it here. */
  takeUp(id: string): Promise<void>;
  log: SupervisorLog;
}

/**
 * After a bug, a stream rests this long before it is retried from its checkpoint, and twice as long each further time.
 */
const REST_FIRST_MS = 10_000;
const REST_MOST_MS = 10 * 60_000;
/** A stream that stopped this often in a row is reported as a problem of the worker. */
const OFTEN = 3;

interface Fault {
  times: number;
  /** Monotonic ms: until then it is not started here. */
  restsUntilMs: number;
  reason: string;
}

export class ProcessorPool {
  readonly #deps: PoolDeps;
  readonly #stop: AbortSignal;
  readonly #running = new Map<string, Running>();
  /** Streams that are being claimed and will soon run here. */
  readonly #held = new Set<string>();
  /** Streams that stopped because of a bug and have not ended normally since. */
  readonly #faults = new Map<string, Fault>();
  #draining = false;
  #sealing = false;

  constructor(deps: PoolDeps, stop: AbortSignal) {
    this.#deps = deps;
    this.#stop = stop;
  }

  get running(): ReadonlyMap<string, Running> {
    return this.#running;
  }

  get draining(): boolean {
    return this.#draining;
  }

  /** Streams that stop repeatedly, one sentence each. */
  get faults(): string[] {
    return [...this.#faults]
      .filter(([, { times }]) => times >= OFTEN)
      .map(([id, { times, reason }]) => `stream ${id} stopped ${times} times because of a bug: ${reason}`);
  }

  /** No new streams are started, except the successors of running ones, which are sealed with them. */
  get sealing(): boolean {
    return this.#sealing;
  }

  /** It does not run here, does not rest after a bug, and is not about to be started. */
  isFree(id: string): boolean {
    return !this.#running.has(id) && !this.#held.has(id) && !this.#rests(id);
  }

  /**
   * Must be called before an existing record is claimed: our own claim raises its fence, which would stop a processor
   * that already runs here. Streams that are not free are left out.
   */
  hold(ids: readonly string[]): Held {
    const free = new Set(ids.filter((id) => this.isFree(id)));
    for (const id of free) this.#held.add(id);
    return {
      has: (id) => free.has(id),
      [Symbol.dispose]: () => {
        for (const id of free) this.#held.delete(id);
      },
    };
  }

  /** The only way in which a stream starts running here, with exactly this record. */
  start({ because, record, parts = [], watch }: Start): void {
    const { processing, log } = this.#deps;
    const { id } = record;
    assert(!this.#running.has(id), `stream ${id} runs already, and was started again as ${because}`);
    assert(NEW.has(because) || this.#held.has(id), `stream ${id} was ${because} but was not held`);
    const isNew = NEW.has(because);
    const processor = isNew
      ? StreamProcessor.begin(record, watch.rules, processing, this.#stop)
      : StreamProcessor.initializeFromCheckpoint(record, parts, watch.rules, processing, this.#stop);
    // The observer logs a found file; for thousands of resumed streams, one line at the end has their number.
    if (because !== "found")
      log[because === "resumed" ? "debug" : "info"](
        { stream_id: id, path: displayPath(record.original_path), reason: because },
        "a stream starts running here",
      );
    this.#run(processor, watch);
  }

  /** No new work is started; resolves when every processor has released its stream. */
  async drain(): Promise<void> {
    this.#draining = true;
    this.#sealing = false;
    for (const { processor } of this.#running.values()) processor.drain();
    await this.#settled();
  }

  /**
   * Writes back what Redis has lost of the running streams. A stream that another worker owns by now finds that out
   * itself.
   */
  async ensureKept(): Promise<void> {
    const now = [...this.#running.values()];
    const outcomes = await Promise.all(now.map(({ processor }) => processor.ensureKept()));
    for (const [at, outcome] of outcomes.entries()) if (outcome.kind === "lost") now[at]?.processor.poke();
    const written = outcomes.filter(({ kind }) => kind === "written").length;
    if (written > 0)
      this.#deps.log.warn({ streams: written }, "streams were written back as this worker knew them");
  }

  /** SLUICE_ON_TERM=seal. */
  async sealAll(): Promise<void> {
    this.#draining = true;
    this.#sealing = true;
    for (const { processor } of this.#running.values()) processor.sealAtTerm();
    await this.#settled();
  }

  /** Resolves when every stream that runs now has checked its file and what S3 has of it. */
  async checkedOnce(): Promise<void> {
    await Promise.all([...this.#running.values()].map((one) => one.processor.checkedOnce));
  }

  async #settled(): Promise<void> {
    while (this.#running.size > 0) {
      await Promise.all([...this.#running.values()].map((one) => one.ended));
    }
  }

  #run(processor: StreamProcessor, watch: Watch): void {
    const { record } = processor;
    this.#deps.onBegin(record);
    const ended = Promise.withResolvers<void>();
    const running: Running = {
      processor,
      watch,
      ended: ended.promise,
    };
    this.#running.set(record.id, running);
    if (this.#sealing) processor.sealAtTerm();
    else if (this.#draining) processor.drain();
    void this.#watchOver(running).then(ended.resolve, ended.reject);
  }

  async #watchOver(running: Running): Promise<void> {
    const { processor } = running;
    const { id } = processor.record;
    const beganMs = this.#deps.processing.clock.monotonicMs();
    try {
      const ending = await processor.run();
      this.#running.delete(id);
      this.#faults.delete(id);
      await this.#deps.onEnd(ending, running);
    } catch (error) {
      const { log, processing } = this.#deps;
      const restMs = this.#noteFault(id, error, processing.clock.monotonicMs() - beganMs);
      this.#running.delete(id);
      await this.#deps.onEnd({ kind: "faulty" }, running);
      log.error(
        { stream_id: id, err: error, again_after_s: restMs / 1_000, ...trouble("stream_bug") },
        "a stream stopped because of a bug; it will be retried from its checkpoint",
      );
      void this.#takeUpLater(id, restMs);
    }
  }

  async #takeUpLater(id: string, restMs: number): Promise<void> {
    const { log, processing, takeUp } = this.#deps;
    try {
      await processing.clock.sleep(restMs, this.#stop);
      if (this.#stop.aborted) return;
      const fault = this.#faults.get(id);
      // A timer may fire slightly early.
      if (fault) fault.restsUntilMs = -Infinity;
      await takeUp(id);
    } catch (error) {
      if (this.#stop.aborted) return;
      log.warn(
        { stream_id: id, err: error },
        "a stream could not be resumed yet; the next round tries again",
      );
    }
  }

  /** It stopped because of a bug, and is not started for a while. */
  #rests(id: string): boolean {
    const fault = this.#faults.get(id);
    return fault !== undefined && this.#deps.processing.clock.monotonicMs() < fault.restsUntilMs;
  }

  /** How long it rests, ms. */
  #noteFault(id: string, error: unknown, ranMs: number): number {
    // After a long run without errors, this is a new problem.
    const before = ranMs > REST_MOST_MS ? 0 : (this.#faults.get(id)?.times ?? 0);
    const restMs = Math.min(REST_MOST_MS, REST_FIRST_MS * 2 ** Math.min(before, 30));
    this.#faults.set(id, {
      times: before + 1,
      restsUntilMs: this.#deps.processing.clock.monotonicMs() + restMs,
      reason: error instanceof Error ? error.message : String(error),
    });
    return restMs;
  }
}
