/**
 * The running processors, at most one for each stream. `start` is the one way in: whatever makes a stream run here opened,
 * claimed or moved its record before, and says why. Each is watched over to its end, whatever that is.
 *
 *   found      a file without a stream       its record was opened       supervisor
 *   resumed    it has no living owner        claimed                     takeover/recoverer
 *   retried    an operator asked for it      claimed, moved from failed  requests/retry
 *   healed     its file can be read again    the same                    requests/retry
 *   adopted    its source no longer exists   claimed, renamed            requests/adopt-request
 *   successor  a stream gave way to it       opened by that stream       supervisor
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
import type { SupervisorLog } from "./supervisor.ts";
import type { Watch } from "../files/watch/watch.ts";

export type StartReason = "found" | "resumed" | "retried" | "healed" | "adopted" | "successor";

/** Nothing of these was sent before. */
const NEW: ReadonlySet<StartReason> = new Set(["found", "successor"]);

export interface Start {
  because: StartReason;
  record: StreamRecord;
  parts?: Iterable<Part>;
  watch: Watch;
}

/** While it is held, nobody else claims or starts these streams here. */
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
  /** The stream counts as running until this resolves: what takes its place has begun by then. */
  onEnd(outcome: Outcome | { kind: "faulty" }, running: Running): void | Promise<void>;
  /** Claims exactly this live stream and resumes it here. */
  takeUp(id: string): Promise<void>;
  log: SupervisorLog;
}

/** A bug stops one stream for this long before it is tried from its checkpoint again, and each next time twice as long. */
const REST_FIRST_MS = 10_000;
const REST_MOST_MS = 10 * 60_000;
/** A stream that stopped so often, one time after another, is the worker's trouble too: someone must look. */
const OFTEN = 3;

interface Fault {
  times: number;
  /** Monotonic ms: until then nobody takes it up here. */
  restsUntilMs: number;
  reason: string;
}

export class ProcessorPool {
  readonly #deps: PoolDeps;
  readonly #stop: AbortSignal;
  readonly #running = new Map<string, Running>();
  /** Streams being claimed, to run here in a moment. */
  readonly #held = new Set<string>();
  /** Streams that stopped because of a bug, and have not ended well since. */
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

  /** Streams that stop again and again, in plain words. */
  get faults(): string[] {
    return [...this.#faults]
      .filter(([, { times }]) => times >= OFTEN)
      .map(
        ([id, { times, reason }]) =>
          `stream ${id} stopped ${times} times because of a fault of ours: ${reason}`,
      );
  }

  /** Nothing new is taken up, but what follows a stream that runs is sealed with it. */
  get sealing(): boolean {
    return this.#sealing;
  }

  /** It does not run here, does not rest after a fault, and nobody is about to start it. */
  isFree(id: string): boolean {
    return !this.#running.has(id) && !this.#held.has(id) && !this.#rests(id);
  }

  /**
   * Before a record that exists is claimed: our own claim raises its fence, and would stop a processor that runs here
   * already. What is not free is left out.
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

  /** Every stream starts running here, for exactly this record. */
  start({ because, record, parts = [], watch }: Start): void {
    const { processing, log } = this.#deps;
    const { id } = record;
    assert(!this.#running.has(id), `stream ${id} runs already, and was started again as ${because}`);
    assert(NEW.has(because) || this.#held.has(id), `stream ${id} was ${because} while nobody held it`);
    const isNew = NEW.has(because);
    const processor = isNew
      ? StreamProcessor.begin(record, watch.rules, processing, this.#stop)
      : StreamProcessor.initializeFromCheckpoint(record, parts, watch.rules, processing, this.#stop);
    // The observer has said that a file was found; of thousands that are resumed one line at the end tells their number.
    if (because !== "found")
      log[because === "resumed" ? "debug" : "info"](
        { stream_id: id, path: displayPath(record.original_path), reason: because },
        "a stream starts running here",
      );
    this.#run(processor, watch);
  }

  /** Nothing new is begun; resolves when every processor has let go of its stream. */
  async drain(): Promise<void> {
    this.#draining = true;
    this.#sealing = false;
    for (const { processor } of this.#running.values()) processor.drain();
    await this.#settled();
  }

  /** What Redis has lost of the streams that run now is written back. One that another worker has now learns it itself. */
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

  /** Resolves when every stream that runs now has looked at its file and at what S3 holds of it. */
  async lookedOnce(): Promise<void> {
    await Promise.all([...this.#running.values()].map((one) => one.processor.lookedOnce));
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
        { stream_id: id, err: error, again_after_s: restMs / 1_000 },
        "a stream stopped because of a fault of ours; it is tried again from its checkpoint",
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
      // A timer may fire a moment before its time.
      if (fault) fault.restsUntilMs = -Infinity;
      await takeUp(id);
    } catch (error) {
      if (this.#stop.aborted) return;
      log.warn(
        { stream_id: id, err: error },
        "a stream could not be taken up again yet; the next round will",
      );
    }
  }

  /** It stopped because of a bug, and is left alone for a while. */
  #rests(id: string): boolean {
    const fault = this.#faults.get(id);
    return fault !== undefined && this.#deps.processing.clock.monotonicMs() < fault.restsUntilMs;
  }

  /** How long it rests, ms. */
  #noteFault(id: string, error: unknown, ranMs: number): number {
    // One that ran well for long has met something else than before.
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
