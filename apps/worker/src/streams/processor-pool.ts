/** The running processors, at most one for each stream. Each is watched over to its end, whatever that is. */
import { StreamProcessor, type Ending, type Part, type ProcessorDeps, type StreamRecord } from "@sluice/core";
import type { SupervisorLog } from "./supervisor.ts";
import type { Watch } from "./watch.ts";

export interface Running {
  processor: StreamProcessor;
  watch: Watch;
  /** Path at the beginning; a rename changes the record's. */
  path: string;
  /** The file's size when it was last sighted: it grows also while its record cannot be written. */
  sightedBytes: number;
  ended: Promise<void>;
}

/** Bytes on disk that are not in S3, as far as is known here; also what a stored file grew by while it waits to be tidied. */
export function unshippedBytes({ processor, sightedBytes }: Running): number {
  const { file_size: size, bytes_sent: sent } = processor.record;
  return Math.max(0, Math.max(size, sightedBytes) - sent);
}

export interface PoolDeps {
  processing: ProcessorDeps;
  onBegin(record: StreamRecord): void;
  /** The stream counts as running until this resolves: what takes its place has begun by then. */
  onEnd(ending: Ending | { kind: "faulty" }, running: Running): void | Promise<void>;
  /** Claims a live stream and resumes it here. */
  takeUp(id: string): Promise<void>;
  log: SupervisorLog;
}

/** A bug stops one stream for this long before it is tried from its checkpoint again. */
const RESTART_AFTER_MS = 10_000;

export class ProcessorPool {
  readonly #deps: PoolDeps;
  readonly #stop: AbortSignal;
  readonly #running = new Map<string, Running>();
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

  /** Nothing new is taken up, but what follows a stream that runs is sealed with it. */
  get sealing(): boolean {
    return this.#sealing;
  }

  /** A stream just opened by this worker. */
  begin(record: StreamRecord, watch: Watch): void {
    this.#run(StreamProcessor.begin(record, watch.rules, this.#deps.processing, this.#stop), watch);
  }

  /** A stream of ours that was interrupted, with its parts. */
  resume(record: StreamRecord, parts: Iterable<Part>, watch: Watch): void {
    const { processing } = this.#deps;
    this.#run(
      StreamProcessor.initializeFromCheckpoint(record, parts, watch.rules, processing, this.#stop),
      watch,
    );
  }

  /** Nothing new is begun; resolves when every processor has let go of its stream. */
  async drain(): Promise<void> {
    this.#draining = true;
    this.#sealing = false;
    for (const { processor } of this.#running.values()) processor.drain();
    await this.#settled();
  }

  /** Every stream that runs now is let go; others may begin meanwhile. */
  async letGo(): Promise<void> {
    const now = [...this.#running.values()];
    for (const { processor } of now) processor.drain();
    await Promise.all(now.map((one) => one.ended));
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
      path: record.original_path,
      sightedBytes: 0,
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
    try {
      const ending = await processor.run();
      this.#running.delete(id);
      await this.#deps.onEnd(ending, running);
    } catch (error) {
      this.#running.delete(id);
      await this.#deps.onEnd({ kind: "faulty" }, running);
      const { log, processing, takeUp } = this.#deps;
      log.error(
        { stream_id: id, err: error },
        "a stream stopped because of a fault of ours; it is tried again from its checkpoint",
      );
      await processing.clock.sleep(RESTART_AFTER_MS, this.#stop);
      if (!this.#stop.aborted) await takeUp(id);
    }
  }
}
