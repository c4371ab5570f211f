/**
 * The composition root: builds the worker from its parts. `start` resolves when the interrupted streams are resumed and
 * the watches are being walked.
 */
import {
  bodyDeadlineMs,
  LIMITS,
  type DoneEntry,
  type ProcessorDeps,
  type SourceState,
  type TailBudget,
  type ObjectRef,
} from "@sluice/core";
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
import { discardUpload, tidyUp, type JanitorDeps } from "../streams/janitor.ts";
import { findFile, type FinderDeps } from "../files/find-file.ts";
import { fillInFounding } from "../takeover/founding.ts";
import { followHints } from "../files/watch/hints.ts";
import { buildLanes, buildTailBudget, type Lanes } from "./lanes.ts";
import { LeaseKeeper } from "../takeover/lease-keeper.ts";
import type { ProcessIdentity } from "../takeover/process-identity.ts";
import {
  idleNonces,
  resumeInterruptedStreams,
  resumeStream,
  watchOf,
  type RecovererDeps,
  type ResumeReport,
} from "../takeover/recoverer.ts";
import { Recovery } from "../takeover/recovery.ts";
import { repeat } from "../streams/repeat.ts";
import { requestDesk, type RequestInputs } from "../requests/request-deps.ts";
import type { RequestDesk } from "../requests/request-desk.ts";
import { handleRequests } from "../requests/request-handler.ts";
import { retryFailed, type RetryDeps, type RetryReason } from "../requests/retry.ts";
import {
  FailedFiles,
  convertOldIndexes,
  loadSourceState,
  restoreSourceState,
} from "../takeover/source-state.ts";
import type { DoneMove } from "../streams/completed-files.ts";
import type { FailedFile } from "../streams/path-table.ts";
import { Supervisor } from "../streams/supervisor.ts";
import { findLostRecords, sweepRecords, type SweepDeps } from "../takeover/unlisted.ts";
import { FreeSpace, LOOK_AT_SPACE_MS } from "../observe/free-space.ts";
import { uploadAgeReport } from "../observe/upload-age-report.ts";
import { watchRecords } from "../files/watch/watch-runner.ts";
import { WatchRunner } from "../files/watch/watch-runner.ts";
import { particulars, StateSince, workerFigures, type Figures } from "../observe/worker-figures.ts";
import type { WorkerSettings } from "./settings.ts";
import type { WorkerPorts } from "./worker-ports.ts";

const JANITOR_EVERY_MS = 30_000;
const SWEEP_EVERY_MS = 5 * 60_000;
const HINT_FAILED = "a hint could not be processed";
const typeOf = (path: string): string => lookup(path) || "application/octet-stream";
/** How long a retry waits for the store to abort an upload that is no longer needed. */
const STORE_MOMENT_MS = 2_000;

export class Worker {
  readonly supervisor: Supervisor;
  readonly lease: LeaseKeeper;
  readonly runners: readonly WatchRunner[];
  readonly space: FreeSpace;
  readonly #settings: WorkerSettings;
  readonly #ports: WorkerPorts;
  readonly #stop: AbortSignal;
  readonly identity: ProcessIdentity;
  readonly #registry: WorkerRegistry;
  readonly #store: StreamStore;
  readonly #done: FilesDone;
  readonly #failed: FailedFiles;
  readonly #lanes: Lanes;
  readonly tails: TailBudget | undefined;
  readonly #processing: ProcessorDeps;
  readonly #recovery: Recovery;
  readonly #since: StateSince;
  /** Periodic work that fails repeatedly: name → reason. */
  readonly #failingRounds = new Map<string, string>();
  #draining = false;

  constructor(settings: WorkerSettings, ports: WorkerPorts, stop: AbortSignal) {
    const { context, log } = ports;
    this.identity = ports.identity;
    const own = { workerId: settings.workerId, nonce: this.identity.nonce };
    this.#settings = settings;
    this.#ports = ports;
    this.#stop = stop;
    this.#since = new StateSince(ports.clock);
    this.#registry = new WorkerRegistry(context);
    this.#done = new FilesDone(context);
    const notice = ({ stream, text }: StoreNotice) => log.warn({ stream_id: stream }, text);
    this.#store = new StreamStore(context, own, notice, settings.webhookEvents);
    this.#lanes = buildLanes(settings);
    this.tails = buildTailBudget(settings, ports.clock);
    this.#recovery = this.#buildRecovery();
    this.lease = this.#buildLease();
    this.#processing = this.#buildProcessing();
    this.supervisor = this.#buildSupervisor();
    this.#failed = new FailedFiles(this.supervisor.table, settings.source, context);
    this.runners = settings.watches.map((watch) => this.#buildRunner(watch));
    const { freeSpaceWarning: warning } = settings;
    this.space = new FreeSpace({ ...ports, watches: this.runners, warning });
  }

  get draining(): boolean {
    return this.#draining;
  }

  /** The figures that the worker reports: lag, bytes in flight, state. */
  get figures(): Figures {
    const { supervisor, runners, lease, tails, space } = this;
    const { gate, clock } = this.#ports;
    const [lanes, draining] = [this.#lanes, this.#draining];
    const [redisTrouble, failing] = [lease.trouble, this.failing];
    const inputs = { supervisor, runners, space, gate, lanes, tails, redisTrouble, failing, draining, clock };
    return workerFigures(inputs);
  }

  /** Work that fails repeatedly, one sentence each. */
  get failing(): string[] {
    const rounds = [...this.#failingRounds].map(([name, reason]) => `${name} fails: ${reason}`);
    const { running, pool } = this.supervisor;
    const writes = [...this.#store.refusing].flatMap(([id, reason]) =>
      running.has(id) ? [`the record of stream ${id} cannot be written: ${reason}`] : [],
    );
    // While Redis is known to be unavailable, that is the cause of the others.
    const others = this.lease.trouble === undefined ? [...rounds, ...writes.slice(0, 1)] : [];
    return [...others, ...pool.faults];
  }

  async start(): Promise<ResumeReport> {
    const { context, log } = this.#ports;
    const { redisPatience: patience } = this.#ports;
    await patience.wait(() => this.lease.start(this.#stop), this.#stop);
    await patience.wait(() => convertOldIndexes(context), this.#stop);
    await patience.wait(() => this.#recovery.begin(), this.#stop);
    await patience.wait(async () => {
      await loadSourceState(this.supervisor.table, this.#settings.source, context);
      await this.#failed.catchUp();
    }, this.#stop);
    await patience.wait(() => findLostRecords(this.#sweeping()), this.#stop);
    const report = await patience.wait(() => this.#resume(), this.#stop);
    log.info({ ...report }, "interrupted streams resumed");
    for (const work of this.#background()) {
      work.catch((error: unknown) => {
        if (this.#stop.aborted) return;
        this.#ports.onFatal(error instanceof Error ? (error.stack ?? error.message) : String(error));
      });
    }
    return report;
  }

  /**
   * Shuts down gracefully: `pause` checkpoints and releases the streams, `seal` first completes the files that no
   * process is seen writing.
   */
  async end(how: "pause" | "seal"): Promise<void> {
    this.#draining = true;
    if (how === "seal") await this.supervisor.pool.sealAll();
    for (const lane of [this.#lanes.lane, this.#lanes.smallLane]) lane.close();
    this.#ports.gate.stopWaiting();
    await this.supervisor.pool.drain();
  }

  #background(): Promise<void>[] {
    const { clock, hints, log } = this.#ports;
    const stop = this.#stop;
    const desk = requestDesk(this.#requests());
    return [
      ...this.runners.map((runner) => runner.run(stop)),
      followHints(hints, this.runners, clock, stop, (path, err) => log.warn({ path, err }, HINT_FAILED)),
      this.supervisor.completed.reread(stop),
      handleRequests({ ...this.#ports, queue: new RequestQueue(this.#ports.context), desk }, stop),
      this.#every("the takeover of streams without an owner", LIMITS.leaseTtlMs, () => this.#takeOver(desk)),
      this.#every("the sweep for lost records", SWEEP_EVERY_MS, () => sweepRecords(this.#sweeping()), {
        atOnce: true,
      }),
      this.#every("the janitor", JANITOR_EVERY_MS, () => tidyUp(this.#janitor())),
      this.#every(
        "the check of the age of uploads",
        JANITOR_EVERY_MS,
        uploadAgeReport({ running: this.supervisor.running, log, clock }),
      ),
      this.#every("the look at free space", LOOK_AT_SPACE_MS, () => this.space.look(), { atOnce: true }),
      this.#every("the comparison of paths and streams", this.#settings.rescanIntervalMs, async () =>
        this.supervisor.correct(),
      ),
      this.#every("the check for late markers", this.#settings.rescanIntervalMs, () =>
        this.supervisor.completed.checkMarkers(),
      ),
      this.#recovery.run(stop),
    ];
  }

  #buildLease(): LeaseKeeper {
    const { clock, startedMs, isGone } = this.#ports;
    const self = particulars({ ...this.#settings, startedMs });
    return new LeaseKeeper({
      registry: this.#registry,
      workerId: this.#settings.workerId,
      identity: this.identity,
      isGone,
      waitedUnder: this.#ports.waitedUnder,
      clock,
      describe: () => {
        const { figures } = this;
        return { ...self, ...figures, state_since_utc: this.#since.of(figures.state) };
      },
      onLost: (detail) => this.#ports.onFatal(detail),
      beforeRenewal: () => this.#recovery.check(),
      onWentBack: (how) => this.#recovery.renewalFoundOlder(how),
      log: this.#ports.log,
    });
  }

  #buildRecovery(): Recovery {
    const { context, newId, clock, log } = this.#ports;
    return new Recovery({
      context,
      newId,
      clock,
      log,
      lease: () => this.lease,
      startOver: async () => {
        await this.supervisor.writeBack();
        for (const runner of this.runners) runner.forgetSaved();
        await restoreSourceState(this.supervisor.table, this.#settings.source, context);
        await this.#failed.startOver();
        await this.#resume();
      },
      inspectAll: async () => {
        await Promise.all(this.runners.map((runner) => runner.rescan(this.#stop)));
        await this.supervisor.pool.checkedOnce();
      },
    });
  }

  #buildProcessing(): ProcessorDeps {
    const { store, files, tidier, observer, gate, failpoint, clock, digests, random, newId } = this.#ports;
    return {
      store,
      checkpoints: this.#store,
      files,
      tidier,
      volume: {
        whereabouts: (record) => findFile(record, this.#finder(), this.#stop),
        followed: (record, before) => this.supervisor.followed(record, before),
        keepsObject: (ref, path) => this.#keepsObject(ref, path),
      },
      completed: {
        entry: (path) => this.supervisor.table.done(path),
        seenShorter: (path) => this.supervisor.completed.seenShorter(path),
      },
      clock,
      observer,
      digests,
      ...this.#lanes,
      gate,
      bodyDeadlineMs: (bytes) => bodyDeadlineMs(bytes, this.#settings),
      safeguard: this.tails,
      lease: this.lease,
      random,
      newId,
      recovery: this.#recovery,
      buckets: this.#settings.buckets,
      failpoint,
      worker: { id: this.#settings.workerId, version: this.#settings.version },
    };
  }

  #buildSupervisor(): Supervisor {
    const { source, bucket } = this.#settings;
    const { context, log } = this.#ports;
    const ignored = new IgnoredFiles(context);
    return new Supervisor(
      {
        processing: this.#processing,
        register: {
          renewDone: async (path, before, after) =>
            (await this.#done.renew(source, path, before, after)).kind === "renewed",
          moveDone: (moves) => this.#moveDone(moves),
          removeIgnored: (path) => ignored.lift(source, [path]),
        },
        source,
        bucket,
        rereadBytesPerSecond: this.#settings.rereadBytesPerSecond,
        contentType: typeOf,
        watchOf: (path) => watchOf(this.#settings.watches, path),
        freed: (path) => {
          // If this fails, the rescan looks at the file again.
          this.#hint(path).catch((err: unknown) => log.warn({ path, err }, HINT_FAILED));
        },
        takeUp: (id) => resumeStream(id, this.#recovering([])),
        noteSource: (failed, now) => this.#noteSource(failed, now),
        recover: async (id) => void (await this.#retry(id, { kind: "recovered" })),
        log,
      },
      this.#stop,
    );
  }

  /** What could not be noted now, because somebody works on the stream, is noted after the next look. */
  async #noteSource(failed: FailedFile, now: SourceState): Promise<void> {
    if (await this.#store.noteSource(failed.id, failed.status, now)) failed.source_state = now;
  }

  /**
   * Whether a completed file at another path owns this object. Another worker on the same volume may have followed that
   * file there: only an entry in Redis that is still at this path says that there is no other.
   */
  async #keepsObject(ref: ObjectRef, path: string): Promise<boolean> {
    const { source } = this.#settings;
    if (this.supervisor.table.keepsObject(ref, path)) return true;
    const [here] = await this.#done.get(source, [path]);
    if (here?.s3_key === ref.key && here.s3_bucket === ref.bucket) return false;
    for (const [other, entry] of await this.#done.load(source))
      if (other !== path && entry.s3_key === ref.key && entry.s3_bucket === ref.bucket) return true;
    return false;
  }

  /** What `files:done` holds at these paths if an entry was not as expected; otherwise nothing. */
  async #moveDone(moves: readonly DoneMove[]): Promise<ReadonlyMap<string, DoneEntry | undefined>> {
    const { source } = this.#settings;
    const outcome = await this.#done.move(
      source,
      moves.map(({ from, to, entry, over }) => ({
        from,
        to,
        stream: entry.stream_id,
        over: over?.stream_id,
      })),
    );
    if (outcome.kind === "moved") return new Map();
    const paths = [...new Set(moves.flatMap(({ from, to }) => [from, to]))];
    const entries = await this.#done.get(source, paths);
    return new Map(paths.map((path, at) => [path, entries[at]]));
  }

  /** Does what an event at this path would do. */
  async #hint(path: string): Promise<void> {
    const watch = watchOf(this.#settings.watches, path);
    await this.runners.find((one) => one.watch === watch)?.hint(path);
  }

  #finder(): FinderDeps {
    const { bucket } = this.#settings;
    return {
      files: this.#ports.files,
      supervisor: this.supervisor,
      runners: this.runners,
      placeOf: ({ name, keyPrefix, rules: { verify, plan, temporaryNames } }, path) => ({
        path,
        watch: name,
        bucket,
        keyPrefix,
        verify,
        plan,
        contentType: typeOf(temporaryNames.finalOf(path)),
      }),
    };
  }

  #buildRunner(watch: WorkerSettings["watches"][number]): WatchRunner {
    const { source, rescanIntervalMs } = this.#settings;
    return new WatchRunner(watch, {
      ...this.#ports,
      ...watchRecords(source, new WatchStore(this.#ports.context), this.#ports.clock),
      supervisor: this.supervisor,
      rescanIntervalMs,
      removeDone: (paths) => this.#done.remove(source, paths),
      noteSource: (failed, now) => this.#noteSource(failed, now),
      catchUp: () => this.#failed.catchUp(),
    });
  }

  /** Resumes the streams of this source that have no live owner. */
  async #resume(): Promise<ResumeReport> {
    const idle = await idleNonces(this.#registry, this.#ports.isGone);
    for (const nonce of idle) this.#store.markDead(nonce);
    return await resumeInterruptedStreams(this.#recovering(idle));
  }

  /** `idle`: nonces whose streams may be taken over at once. */
  #recovering(idle: readonly string[]): RecovererDeps {
    const { context, log, rootIdentity } = this.#ports;
    const { source, buckets, watches, workerId } = this.#settings;
    const processing = this.#processing;
    return {
      supervisor: this.supervisor,
      context,
      identity: { workerId, nonce: this.identity.nonce },
      store: this.#store,
      source,
      buckets,
      watches,
      deadNonces: () => idle,
      files: processing.files,
      rootIdentity,
      fillIn: (founding, parts, watch) =>
        fillInFounding(founding, parts, watch, { processing, source, store: this.#store }),
      log,
    };
  }

  /** The new owner of a stream checks the stream's open requests at once. */
  async #takeOver(desk: RequestDesk): Promise<void> {
    const { resumed } = await this.#resume();
    if (resumed > 0) desk.lookAgain();
  }

  #retry(id: string, because: RetryReason) {
    const { source, watches } = this.#settings;
    const own = { processing: this.#processing, store: this.#store, supervisor: this.supervisor };
    const janitor = this.#janitor();
    const moment = (): Promise<void> => this.#ports.clock.sleep(STORE_MOMENT_MS, this.#stop);
    const discard: RetryDeps["discardUpload"] = (upload) => discardUpload(janitor, upload, moment);
    return retryFailed(id, because, { ...own, source, watches, discardUpload: discard }, this.#stop);
  }

  #requests(): RequestInputs {
    return {
      ...this.#settings,
      ...this.#ports,
      supervisor: this.supervisor,
      walkAll: async () => void (await Promise.all(this.runners.map((runner) => runner.rescan(this.#stop)))),
      janitor: this.#janitor(),
      registry: this.#registry,
      checkpoints: this.#store,
      processing: this.#processing,
      stop: this.#stop,
      retry: (id, requestId) => this.#retry(id, { kind: "retried", requestId }),
    };
  }

  #janitor(): JanitorDeps {
    const { context, store, clock, steadyMs, log } = this.#ports;
    const { workerId, bucket, buckets, historyMs, failedUploadRetentionMs } = this.#settings;
    const orphans = new OrphanStore(context);
    const locked = (): boolean => this.#recovery.recognise;
    const retention = { historyMs, failedUploadRetentionMs, clock, steadyMs };
    const confirmRedis = () => this.lease.renew();
    const streams = this.#store;
    const hold = (id: string) => this.supervisor.pool.hold([id]);
    const own = { orphans, streams, hold, workerId, bucket, buckets, ...retention };
    return { context, store, ...own, confirmRedis, locked, log };
  }

  /** Records that no index lists. */
  #sweeping(): SweepDeps {
    const { context, clock, log } = this.#ports;
    const identity = { workerId: this.#settings.workerId, nonce: this.identity.nonce };
    return { context, identity, store: this.#store, clock, signal: this.#stop, log };
  }

  /** `atOnce`: also right after the start. */
  async #every(
    name: string,
    everyMs: number,
    work: () => Promise<unknown>,
    { atOnce = false } = {},
  ): Promise<void> {
    const ended = (): boolean => this.#draining;
    const failing = (reason: string | undefined): void => {
      if (reason === undefined) this.#failingRounds.delete(name);
      else this.#failingRounds.set(name, reason);
    };
    const { clock, log } = this.#ports;
    const signal = this.#stop;
    await repeat({ name, everyMs, atOnce, work, ended, clock, signal, log, failing });
  }
}
