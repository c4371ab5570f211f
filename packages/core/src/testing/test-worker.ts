/**
 * A worker process over the memory adapters: real processors, and of the supervisor only what a stream's life needs:
 * open what is new, take what has no living owner, go on with the next generation.
 */
import type { Failpoint } from "../failpoints.ts";
import { bodyDeadlineMs, LIMITS } from "../limits.ts";
import { isoNow } from "../ports/clock.ts";
import type { CheckpointStore } from "../ports/checkpoint-store.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import { SILENT } from "../ports/observer.ts";
import { waitsAtFirst } from "../steps/completion.ts";
import type { ProcessorDeps } from "../flow/dependencies.ts";
import type { Outcome } from "../steps/stream-context.ts";
import { OwnedStream } from "../flow/owned-stream.ts";
import { StoreGate } from "../flow/store-gate.ts";
import { salvageStream, type Salvaged } from "../steps/salvage.ts";
import { StreamProcessor } from "../steps/stream-processor.ts";
import { TailBudget, type TailBudgetOptions } from "../flow/tail-budget.ts";
import { UploadLane } from "../flow/upload-lane.ts";
import { newRecord } from "../stream/new-record.ts";
import { planRetry } from "../stream/plan-retry.ts";
import type { StreamRecord } from "../stream/record.ts";
import { kindOf } from "../stream/state.ts";
import type { StreamId } from "../stream/values.ts";
import { failing, Mortal, type Call, type Script } from "./failing.ts";
import { MemoryCheckpointStore } from "./memory-checkpoint-store.ts";
import { followDone, isLiveRecord, sighting } from "./test-rescan.ts";
import { BUCKET, PART, SOURCE } from "./test-values.ts";
import type { World } from "./world.ts";

export interface WorkerOptions {
  id?: string;
  /** Dies in this gap, when it is reached for the nth time. */
  dieAt?: { failpoint: Failpoint; nth: number };
  /** Dies in the nth gap it reaches, whichever that is. */
  dieAtAny?: number;
  /** Called in each gap. */
  onFailpoint?: (name: Failpoint) => void;
  storeScript?: Script;
  checkpointScript?: Script;
  /** Milliseconds between a request and its effect, and between its effect and its answer. */
  storeDelayMs?: (call: Call) => number;
  /** Instead of the world's own. */
  store?: ObjectStore;
  slots?: number;
  bufferBytes?: number;
  recognise?: boolean;
  /** Tails go up after so long, ms; their budget is ample unless it is given. */
  safeguardMs?: number;
  tailBudget?: Partial<TailBudgetOptions>;
}

export class TestWorker {
  readonly id: string;
  readonly mortal = new Mortal();
  readonly deps: ProcessorDeps;
  readonly processors = new Map<string, StreamProcessor>();
  readonly endings = new Map<string, Outcome>();
  readonly reached: Failpoint[] = [];
  /** `isFresh`: whether the lease counts as fresh before Complete. */
  readonly lease = { isFresh: true, fresh: () => this.lease.isFresh, heldSinceMs: -Infinity };
  readonly #world: World;
  readonly #stop = new AbortController();
  readonly #options: WorkerOptions;
  /** Errors no ending accounts for: bugs. */
  readonly bugs: unknown[] = [];
  readonly #running = new Set<Promise<void>>();

  constructor(world: World, options: WorkerOptions) {
    this.#world = world;
    this.#options = options;
    this.id = options.id ?? `worker-${world.workers.length + 1}`;
    this.deps = this.#build();
  }

  get dead(): boolean {
    return this.mortal.dead;
  }

  /** How many streams it works on. */
  get busy(): number {
    return this.#running.size;
  }

  /** Takes every live stream nobody living holds, then opens one for each file that has none. */
  async scan(): Promise<void> {
    await this.#resume();
    if (this.#world.salvageAsked) await this.#salvageAll();
    if (!this.#world.disk.mounted) return;
    followDone(this.#world);
    for (const path of this.#world.disk.paths()) await this.#discover(path);
  }

  /** Scans, then works until every stream has ended or the worker is dead. */
  async work(mostMs?: number): Promise<void> {
    let scanned = false;
    this.scan().then(
      () => (scanned = true),
      (error: unknown) => this.bugs.push(error),
    );
    await this.#world.clock.until(
      () => this.dead || this.bugs.length > 0 || (scanned && this.busy === 0),
      mostMs,
    );
  }

  /** As the worker does it for an operator. Undefined: it is not to be had. */
  async salvage(id: StreamId): Promise<Salvaged | undefined> {
    const { redis, files } = this.#world;
    const [claim] = await this.deps.checkpoints.claim([id]);
    if (claim?.kind !== "claimed") return undefined;
    const { record } = claim;
    const held = new OwnedStream(
      record,
      (await this.deps.checkpoints.parts(id)).values(),
      this.deps,
      this.#stop.signal,
    );
    const free =
      redis.done(SOURCE, record.original_path) === undefined &&
      files.holderOf(record.original_path) === undefined;
    const salvaged = await salvageStream(
      held,
      this.deps,
      this.#stop.signal,
      record.superseded_by === undefined && free,
    );
    if (salvaged.kind !== "salvaged") await this.deps.checkpoints.release(held.record);
    return salvaged;
  }

  async #salvageAll(): Promise<void> {
    const { redis } = this.#world;
    for (const id of redis.ids()) {
      const record = redis.record(id);
      if (kindOf(record?.status ?? "") === "failed" && record?.s3_upload_id !== undefined)
        await this.salvage(id);
    }
  }

  poke(): void {
    for (const processor of this.processors.values()) processor.poke();
  }

  /** An event says that bytes were written to the files. */
  written(): void {
    for (const processor of this.processors.values()) processor.written();
  }

  /** SIGKILL. Its lease lapses, as Redis sees it, at once. */
  die(): void {
    this.mortal.die();
    this.#world.redis.lapse(this.id);
  }

  /** SIGTERM: parts in flight end, streams are given back. */
  async drain(): Promise<void> {
    for (const processor of this.processors.values()) processor.drain();
    await this.#world.clock.drive(Promise.all(this.#running));
  }

  /** The second signal: everything is dropped. */
  stop(): void {
    this.#stop.abort();
  }

  async #resume(): Promise<void> {
    const { redis } = this.#world;
    const mine = redis.ids().filter((id) => !this.processors.has(id) && isLiveRecord(redis.record(id)));
    if (mine.length === 0) return;
    for (const claim of await this.deps.checkpoints.claim(mine)) {
      if (claim.kind !== "claimed") continue;
      const parts = await this.deps.checkpoints.parts(claim.record.id);
      const { rules } = this.#world;
      this.#run(
        StreamProcessor.initializeFromCheckpoint(
          claim.record,
          parts.values(),
          rules,
          this.deps,
          this.#stop.signal,
        ),
      );
    }
  }

  async #discover(path: string): Promise<void> {
    const seen = sighting(this.#world, path);
    if (seen.kind === "heal") return await this.#heal(seen.failed);
    if (seen.kind === "nothing") return;
    const { rules } = this.#world;
    await this.deps.failpoint?.("file_seen");
    const record = newRecord({
      id: this.#world.newId(),
      path,
      source: SOURCE,
      watch: rules.name,
      bucket: BUCKET,
      keyPrefix: "",
      contentType: "application/octet-stream",
      verify: rules.verify,
      plan: rules.plan,
      owner: this.id,
      nowUtc: isoNow(this.#world.clock),
      facts: seen.facts,
      supersedes: seen.supersedes,
      waiting: waitsAtFirst(path, seen.facts, rules, this.deps),
    });
    const opened = await this.deps.checkpoints.open({ record, log: ["discovered"] });
    if (opened.kind === "opened") this.#begin(record);
  }

  /** A file that failed for being missing is there again: its stream goes on, as with an operator's retry. */
  async #heal({ id }: StreamRecord): Promise<void> {
    const [claim] = await this.deps.checkpoints.claim([id]);
    if (claim?.kind !== "claimed" || kindOf(claim.record.status) !== "failed") return;
    const parts = await this.deps.checkpoints.parts(id);
    const { signal } = this.#stop;
    const held = new OwnedStream(claim.record, parts.values(), this.deps, signal);
    const plan = planRetry(claim.record);
    await held.move(plan.event, {
      dropParts: plan.event === "restarted",
      patch: {
        failure_reason: null,
        failure_detail: null,
        failed_at_utc: null,
        source_state: "present",
        waiting_for: null,
      },
      log: [`retried: ${plan.words}`],
    });
    const { rules } = this.#world;
    this.#run(
      StreamProcessor.initializeFromCheckpoint(held.record, held.parts.values(), rules, this.deps, signal),
    );
  }

  #begin(record: StreamRecord): void {
    this.#run(StreamProcessor.begin(record, this.#world.rules, this.deps, this.#stop.signal));
  }

  #run(processor: StreamProcessor): void {
    const { id } = processor.record;
    this.processors.set(id, processor);
    const run = processor
      .run()
      .then((ending) => {
        this.endings.set(id, ending);
        this.processors.delete(id);
        if (ending.kind === "superseded" && ending.successor) this.#begin(ending.successor);
      })
      .catch((error: unknown) => {
        this.processors.delete(id);
        this.bugs.push(error);
      })
      .finally(() => this.#running.delete(run));
    this.#running.add(run);
  }

  #build(): ProcessorDeps {
    const { clock, store, files, digests, random } = this.#world;
    const { mortal } = this;
    const { storeScript, checkpointScript, storeDelayMs, slots = 2, bufferBytes = PART } = this.#options;
    const usedStore = this.#options.store ?? store;
    const ownClock = failing(clock, { mortal }, ["wallMs", "monotonicMs"]);
    const checkpoints: CheckpointStore = new MemoryCheckpointStore(
      this.#world.redis,
      this.id,
      `nonce-${this.#world.workers.length + 1}`,
    );
    const delay = storeDelayMs && ((call: Call) => clock.sleep(storeDelayMs(call)));
    const ownFiles = failing(files, { mortal });
    const { safeguardMs: windowMs, tailBudget } = this.#options;
    const ample = { traffic: { kind: "times", times: 100 }, requestsPerSecond: 100 } as const;
    const safeguard =
      windowMs && new TailBudget({ windowMs, ...ample, uploadSlots: slots, clock, ...tailBudget });
    return {
      store: failing(usedStore, {
        mortal,
        ...(storeScript && { script: storeScript }),
        ...(delay && { delay }),
      }),
      checkpoints: failing(checkpoints, { mortal, ...(checkpointScript && { script: checkpointScript }) }),
      files: ownFiles,
      tidier: ownFiles,
      volume: ownFiles,
      completed: {
        entry: (path) => this.#world.redis.done(SOURCE, path),
        seenShorter: (path) => Promise.resolve(this.#world.redis.seenShorter(SOURCE, path)),
      },
      clock: ownClock,
      observer: SILENT,
      digests,
      lane: new UploadLane({ slots, bufferBytes }),
      smallLane: new UploadLane({ slots, bufferBytes: LIMITS.smallPutBytes }),
      verifyLane: new UploadLane({ slots: 2, bufferBytes: 1024 * 1024 }),
      gate: new StoreGate({ clock: ownClock, observer: SILENT, random }),
      bodyDeadlineMs: (bytes) => bodyDeadlineMs(bytes, { uploadConcurrency: slots }),
      ...(safeguard ? { safeguard } : {}),
      lease: this.lease,
      random,
      newId: () => this.#world.newId(),
      recovery: {
        recognise: this.#options.recognise ?? false,
        wentBack: ({ gone }) => Promise.resolve(!gone),
      },
      worker: { id: this.id, version: "0.0.0-test" },
      failpoint: (name) => this.#reach(name),
    };
  }

  async #reach(name: Failpoint): Promise<void> {
    const { dieAt, dieAtAny, onFailpoint } = this.#options;
    if (!this.dead) {
      this.reached.push(name);
      onFailpoint?.(name);
      const times = this.reached.filter((reached) => reached === name).length;
      const due = dieAt?.failpoint === name && dieAt.nth === times;
      if (due || dieAtAny === this.reached.length) this.die();
    }
    if (this.dead) await new Promise<never>(() => undefined);
  }
}
