/**
 * The composition root: what is built from what, once. `start` resolves when the interrupted streams are resumed and the
 * watches are being walked.
 */
import { LIMITS, type ProcessorDeps } from "@sluice/core";
import {
  FilesDone,
  IgnoredFiles,
  OrphanStore,
  RequestQueue,
  StreamStore,
  WatchStore,
  WorkerRegistry,
  type StoreNotice,
} from "@sluice/redis-schema";
import { lookup } from "mime-types";
import { nativeDigests } from "./adapters/native-digests.ts";
import { discardUpload, tidyUp, type JanitorDeps } from "./janitor/janitor.ts";
import { fillInFounding } from "./streams/founding.ts";
import { followHints } from "./streams/hints.ts";
import { buildLanes, type Lanes } from "./streams/lanes.ts";
import { LeaseKeeper } from "./streams/lease-keeper.ts";
import { deadNoncesOfThisHost, ownIdentity } from "./streams/process-identity.ts";
import {
  resumeInterruptedStreams,
  watchOf,
  type RecovererDeps,
  type ResumeReport,
} from "./streams/recoverer.ts";
import { Recovery } from "./streams/recovery.ts";
import { repeat } from "./streams/repeat.ts";
import { requestDesk, type RequestInputs } from "./streams/request-deps.ts";
import type { RequestDesk } from "./streams/request-desk.ts";
import { handleRequests } from "./streams/request-handler.ts";
import { retryFailed, type RetryDeps } from "./streams/retry.ts";
import { FailedFiles, loadSourceState, refuseForeignIndexes } from "./streams/source-state.ts";
import { Supervisor } from "./streams/supervisor.ts";
import { uploadAgeReport } from "./streams/upload-age-report.ts";
import { watchRecords } from "./streams/watch-records.ts";
import { WatchRunner } from "./streams/watch-runner.ts";
import { particulars, workerFigures, type Figures } from "./streams/worker-figures.ts";
import { newId } from "./new-id.ts";
import type { WorkerSettings } from "./settings.ts";
import { systemClock } from "./system-clock.ts";
import type { WorkerPorts } from "./worker-ports.ts";

const JANITOR_EVERY_MS = 30_000;
/** A retry waits so long for the store to abort an upload that is of no more use. */
const STORE_MOMENT_MS = 2_000;
const clock = systemClock;

export class Worker {
  readonly supervisor: Supervisor;
  readonly lease: LeaseKeeper;
  readonly runners: readonly WatchRunner[];
  readonly #settings: WorkerSettings;
  readonly #ports: WorkerPorts;
  readonly #stop: AbortSignal;
  readonly identity = ownIdentity();
  readonly #registry: WorkerRegistry;
  readonly #store: StreamStore;
  readonly #done: FilesDone;
  readonly #failed: FailedFiles;
  readonly #lanes: Lanes;
  readonly #processing: ProcessorDeps;
  readonly #recovery: Recovery;
  #draining = false;

  constructor(settings: WorkerSettings, ports: WorkerPorts, stop: AbortSignal) {
    const { context, log } = ports;
    const own = { workerId: settings.workerId, nonce: this.identity.nonce };
    this.#settings = settings;
    this.#ports = ports;
    this.#stop = stop;
    this.#registry = new WorkerRegistry(context);
    this.#done = new FilesDone(context);
    const notice = ({ stream, text }: StoreNotice) => log.warn({ stream_id: stream }, text);
    this.#store = new StreamStore(context, own, notice, settings.told);
    this.#lanes = buildLanes(settings);
    this.#recovery = this.#buildRecovery();
    this.lease = this.#buildLease();
    this.#processing = this.#buildProcessing();
    this.supervisor = this.#buildSupervisor();
    this.#failed = new FailedFiles(this.supervisor.table, settings.source, context);
    this.runners = settings.watches.map((watch) => this.#buildRunner(watch));
  }

  get draining(): boolean {
    return this.#draining;
  }

  /** What it says of itself: lag, bytes in flight, state. */
  get figures(): Figures {
    const { supervisor, runners, lease } = this;
    const [gate, lanes, draining] = [this.#ports.gate, this.#lanes, this.#draining];
    return workerFigures({ supervisor, runners, gate, lanes, redisTrouble: lease.trouble, draining });
  }

  async start(): Promise<ResumeReport> {
    const { context, log } = this.#ports;
    await this.lease.start(this.#stop);
    await refuseForeignIndexes(context);
    await this.#recovery.begin();
    await loadSourceState(this.supervisor.table, this.#settings.source, context);
    await this.#failed.catchUp();
    const report = await this.#resume();
    log.info({ ...report }, "interrupted streams resumed");
    for (const work of this.#background()) {
      work.catch((error: unknown) => {
        if (this.#stop.aborted) return;
        this.#ports.onFatal(error instanceof Error ? (error.stack ?? error.message) : String(error));
      });
    }
    return report;
  }

  /** Ends politely: `pause` checkpoints and lets go, `seal` first completes what nobody is seen writing. */
  async end(how: "pause" | "seal"): Promise<void> {
    this.#draining = true;
    if (how === "seal") await this.supervisor.sealAll();
    for (const lane of [this.#lanes.lane, this.#lanes.smallLane]) lane.close();
    this.#ports.gate.stopWaiting();
    await this.supervisor.drain();
  }

  #background(): Promise<void>[] {
    const { hints, log } = this.#ports;
    const stop = this.#stop;
    const desk = requestDesk(this.#requests());
    return [
      ...this.runners.map((runner) => runner.run(stop)),
      followHints(hints, this.runners, clock, stop, (path, err) =>
        log.warn({ path, err }, "a hint could not be followed"),
      ),
      handleRequests({ ...this.#ports, queue: new RequestQueue(this.#ports.context), desk, clock }, stop),
      this.#every(LIMITS.leaseTtlMs, () => this.#takeOver(desk)),
      this.#every(JANITOR_EVERY_MS, () => tidyUp(this.#janitor())),
      this.#every(JANITOR_EVERY_MS, uploadAgeReport({ running: this.supervisor.running, log, clock })),
      this.#recovery.run(stop),
    ];
  }

  #buildLease(): LeaseKeeper {
    const self = particulars(this.#settings);
    return new LeaseKeeper({
      registry: this.#registry,
      workerId: this.#settings.workerId,
      identity: this.identity,
      clock,
      describe: () => ({ ...self, ...this.figures }),
      onLost: (detail) => this.#ports.onFatal(detail),
      beforeRenewal: () => this.#recovery.check(),
      log: this.#ports.log,
    });
  }

  #buildRecovery(): Recovery {
    const { context, log } = this.#ports;
    return new Recovery({
      context,
      newId,
      clock,
      log,
      startAnew: async () => {
        await this.supervisor.startAnew();
        for (const runner of this.runners) runner.forgetSaved();
        await loadSourceState(this.supervisor.table, this.#settings.source, context);
        await this.#resume();
      },
      lookAtAll: async () => {
        await Promise.all(this.runners.map((runner) => runner.rescan(this.#stop)));
        await this.supervisor.lookedOnce();
      },
    });
  }

  #buildProcessing(): ProcessorDeps {
    const { store, files, tidier, observer, gate, failpoint } = this.#ports;
    return {
      store,
      checkpoints: this.#store,
      files,
      tidier,
      volume: {
        whereabouts: async (record) => {
          const watch = watchOf(this.#settings.watches, record.original_path);
          const runner = this.runners.find((one) => one.watch === watch);
          if (!runner) return { kind: "offline", detail: "no watch covers its file" };
          return await runner.whereabouts(record, this.#stop);
        },
      },
      clock,
      observer,
      digests: nativeDigests,
      ...this.#lanes,
      gate,
      lease: this.lease,
      random: Math.random,
      newId,
      recovery: this.#recovery,
      failpoint,
      worker: { id: this.#settings.workerId, version: this.#settings.version },
    };
  }

  #buildSupervisor(): Supervisor {
    const { source, bucket } = this.#settings;
    const ignored = new IgnoredFiles(this.#ports.context);
    return new Supervisor(
      {
        processing: this.#processing,
        register: {
          moveDone: async (from, to) => void (await this.#done.move(source, from, to)),
          removeIgnored: (path) => ignored.lift(source, [path]),
        },
        source,
        bucket,
        contentType: (path) => lookup(path) || "application/octet-stream",
        takeUp: async () => void (await this.#resume()),
        retry: async (id) => void (await this.#retry(id)),
        log: this.#ports.log,
      },
      this.#stop,
    );
  }

  #buildRunner(watch: WorkerSettings["watches"][number]): WatchRunner {
    const { source, rescanIntervalMs } = this.#settings;
    return new WatchRunner(watch, {
      ...this.#ports,
      ...watchRecords(source, new WatchStore(this.#ports.context)),
      clock,
      supervisor: this.supervisor,
      rescanIntervalMs,
      removeDone: (paths) => this.#done.remove(source, paths),
      catchUp: () => this.#failed.catchUp(),
    });
  }

  /** Streams of this source without a living owner. */
  async #resume(): Promise<ResumeReport> {
    const { context, log } = this.#ports;
    const { source, watches, workerId } = this.#settings;
    const dead = await deadNoncesOfThisHost(this.#registry, this.identity);
    for (const nonce of dead) this.#store.markDead(nonce);
    const processing = this.#processing;
    const deps: RecovererDeps = {
      supervisor: this.supervisor,
      context,
      identity: { workerId, nonce: this.identity.nonce },
      store: this.#store,
      source,
      watches,
      deadNonces: () => dead,
      fillIn: (founding, parts, watch) =>
        fillInFounding(founding, parts, watch, { processing, source, store: this.#store }),
      log,
    };
    return await resumeInterruptedStreams(deps);
  }

  /** What was asked of a stream waits for its owner: who becomes that looks at once. */
  async #takeOver(desk: RequestDesk): Promise<void> {
    const { resumed } = await this.#resume();
    if (resumed > 0) desk.lookAgain();
  }

  #retry(id: string, requestId?: string) {
    const { source, watches } = this.#settings;
    const own = { processing: this.#processing, store: this.#store, supervisor: this.supervisor };
    const janitor = this.#janitor();
    const moment = (): Promise<void> => clock.sleep(STORE_MOMENT_MS, this.#stop);
    const discard: RetryDeps["discardUpload"] = (upload) => discardUpload(janitor, upload, moment);
    return retryFailed(id, { ...own, source, watches, discardUpload: discard }, this.#stop, requestId);
  }

  #requests(): RequestInputs {
    return {
      ...this.#settings,
      ...this.#ports,
      supervisor: this.supervisor,
      runners: this.runners,
      janitor: this.#janitor(),
      registry: this.#registry,
      checkpoints: this.#store,
      digests: nativeDigests,
      clock,
      stop: this.#stop,
      retry: (id, requestId) => this.#retry(id, requestId),
    };
  }

  #janitor(): JanitorDeps {
    const { context, store, log } = this.#ports;
    const { workerId, bucket, historyMs, failedUploadRetentionMs } = this.#settings;
    const orphans = new OrphanStore(context);
    const locked = (): boolean => this.#recovery.recognise;
    return { context, store, orphans, workerId, bucket, historyMs, failedUploadRetentionMs, locked, log };
  }

  async #every(everyMs: number, work: () => Promise<unknown>): Promise<void> {
    const ended = (): boolean => this.#draining;
    await repeat({ everyMs, work, ended, clock, signal: this.#stop, log: this.#ports.log });
  }
}
