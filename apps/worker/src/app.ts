/**
 * The composition root: what is built from what, once. `startWorker` resolves when the interrupted streams are resumed
 * and the watches are being walked.
 */
import {
  CheckpointError,
  LIMITS,
  StoreGate,
  UploadLane,
  type FileSource,
  type FileTidier,
  type ObjectStore,
  type Observer,
  type ProcessorDeps,
  type ReachFailpoint,
} from "@sluice/core";
import {
  FilesDone,
  IgnoredFiles,
  OrphanStore,
  RequestQueue,
  StreamReader,
  StreamStore,
  WatchStore,
  WorkerRegistry,
  beginEpoch,
  convertIndexes,
  readEpoch,
  type RedisClient,
  type SchemaContext,
} from "@sluice/redis-schema";
import { lookup } from "mime-types";
import { ulid } from "ulid";
import { nativeDigests } from "./adapters/native-digests.ts";
import { tidyUp } from "./janitor/janitor.ts";
import { uploadActions } from "./janitor/upload-actions.ts";
import { fillInFounding } from "./streams/founding.ts";
import { followHints, type HintSource } from "./streams/hints.ts";
import { LeaseKeeper } from "./streams/lease-keeper.ts";
import { deadNoncesOfThisHost, ownIdentity } from "./streams/process-identity.ts";
import {
  resumeInterruptedStreams,
  watchOf,
  type RecovererDeps,
  type ResumeReport,
} from "./streams/recoverer.ts";
import { handleRequests } from "./streams/request-handler.ts";
import { retryFailed } from "./streams/retry.ts";
import { retryPath } from "./streams/retry-path.ts";
import { loadSourceState } from "./streams/source-state.ts";
import { Supervisor, type SupervisorLog } from "./streams/supervisor.ts";
import { watchRecords } from "./streams/watch-records.ts";
import { WatchRunner, type WatchDeps } from "./streams/watch-runner.ts";
import { workerFigures } from "./streams/worker-figures.ts";
import type { WorkerSettings } from "./settings.ts";
import { systemClock } from "./system-clock.ts";

/** Adapters to the world, built by main.ts. */
export interface WorkerPorts {
  context: SchemaContext;
  /** A second connection to Redis, for reads that block. */
  blocking: RedisClient;
  store: ObjectStore;
  files: FileSource;
  tidier: FileTidier;
  observer: Observer;
  gate: StoreGate;
  hints: HintSource;
  walk: WatchDeps["walk"];
  accepts: WatchDeps["accepts"];
  rootIdentity: WatchDeps["rootIdentity"];
  log: SupervisorLog;
  /** Crash tests only. */
  failpoint?: ReachFailpoint | undefined;
  /** The worker must end: another process runs under its id, or a fault of ours. */
  onFatal(reason: string): void;
}

export interface Worker {
  readonly supervisor: Supervisor;
  readonly lease: LeaseKeeper;
  readonly runners: readonly WatchRunner[];
  readonly resumed: ResumeReport;
  readonly draining: boolean;
  /** Ends politely: `pause` checkpoints and lets go, `seal` first completes what nobody is seen writing. */
  end(how: "pause" | "seal"): Promise<void>;
}

export async function startWorker(
  settings: WorkerSettings,
  ports: WorkerPorts,
  stop: AbortSignal,
): Promise<Worker> {
  const { context, log, gate } = ports;
  const { source, workerId, watches, bucket } = settings;
  const clock = systemClock;
  const identity = ownIdentity();
  const own = { workerId, nonce: identity.nonce };
  const startedAt = new Date().toISOString();
  const registry = new WorkerRegistry(context);
  const store = new StreamStore(context, own, ({ stream, text }) => log.warn({ stream_id: stream }, text));
  const done = new FilesDone(context);
  const ignored = new IgnoredFiles(context);
  const orphans = new OrphanStore(context);
  const lane = uploadLane(settings);
  const recognise = { recognise: false };
  let draining = false;

  const lease = new LeaseKeeper({
    registry,
    workerId,
    identity,
    clock,
    describe: () => ({
      version: settings.version,
      source,
      watches: watches.map(({ name }) => name),
      started_at_utc: startedAt,
      ...workerFigures(supervisor, gate, lane, draining),
    }),
    onLost: ports.onFatal,
    log,
  });
  const processing: ProcessorDeps = {
    store: ports.store,
    checkpoints: store,
    files: ports.files,
    tidier: ports.tidier,
    volume: {
      async whereabouts(record) {
        const watch = watchOf(watches, record.original_path);
        const runner = runners.find((one) => one.watch === watch);
        return runner
          ? await runner.whereabouts(record, stop)
          : { kind: "offline", detail: "no watch covers its file" };
      },
    },
    clock,
    observer: ports.observer,
    digests: nativeDigests,
    lane,
    verifyLane: new UploadLane({ slots: LIMITS.verifyReads, bufferBytes: LIMITS.verifyChunkBytes }),
    gate,
    lease,
    random: Math.random,
    newId: () => ulid().toLowerCase(),
    recovery: recognise,
    failpoint: ports.failpoint,
    worker: { id: workerId, version: settings.version },
  };
  const retry = (id: string) => retryFailed(id, { processing, store, supervisor, source, watches }, stop);
  const supervisor: Supervisor = new Supervisor(
    {
      processing,
      register: {
        moveDone: async (from, to) => void (await done.move(source, from, to)),
        removeIgnored: (path) => ignored.lift(source, [path]),
      },
      source,
      bucket,
      contentType: (path) => lookup(path) || "application/octet-stream",
      takeUp: async () => void (await resume()),
      retry: async (id) => void (await retry(id)),
      log,
    },
    stop,
  );
  const runners = watches.map(
    (watch) =>
      new WatchRunner(watch, {
        ...ports,
        ...watchRecords(source, new WatchStore(context)),
        clock,
        supervisor,
        rescanIntervalMs: settings.rescanIntervalMs,
        removeDone: (paths) => done.remove(source, paths),
      }),
  );
  let dead: readonly string[] = [];
  const recovery: RecovererDeps = {
    supervisor,
    context,
    identity: own,
    store,
    source,
    watches,
    deadNonces: () => dead,
    fillIn: (founding, parts, watch) => fillInFounding(founding, parts, watch, { processing, source, store }),
    log,
  };
  async function resume(): Promise<ResumeReport> {
    dead = await deadNoncesOfThisHost(registry, identity);
    for (const nonce of dead) store.markDead(nonce);
    return await resumeInterruptedStreams(recovery);
  }
  const janitor = {
    context,
    store: ports.store,
    orphans,
    workerId,
    bucket,
    historyMs: settings.historyMs,
    failedUploadRetentionMs: settings.failedUploadRetentionMs,
    locked: () => recognise.recognise,
    log,
  };

  /** Repeats until the end; Redis away only delays the next round. */
  async function every(ms: number, work: () => Promise<unknown>): Promise<void> {
    while (!stop.aborted && !draining) {
      await clock.sleep(ms, stop);
      if (stop.aborted || draining) return;
      await work().catch((error: unknown) => {
        if (!(error instanceof CheckpointError)) throw error;
        log.warn({ err: error.message }, "Redis did not answer; tried again later");
      });
    }
  }

  await lease.start(stop);
  for (const outcome of await convertIndexes(context)) {
    if (outcome.kind === "foreign")
      throw new Error(
        `the key of the index ${outcome.index} is a ${outcome.type}: choose another SLUICE_KEY_PREFIX`,
      );
  }
  recognise.recognise = (await readEpoch(context)) === undefined;
  await loadSourceState(supervisor.table, source, context);
  const resumed = await resume();
  log.info({ ...resumed }, "interrupted streams resumed");

  const background = [
    ...runners.map((runner) => runner.run(stop)),
    followHints(ports.hints, runners, clock, stop, (path, err) =>
      log.warn({ path, err }, "a hint could not be followed"),
    ),
    handleRequests(
      {
        queue: new RequestQueue(context),
        blocking: ports.blocking,
        reader: new StreamReader(context),
        supervisor,
        store: ports.store,
        clock,
        workerId,
        source,
        retry,
        retryPath: (item) => retryPath(item, { source, ignored, supervisor, runners, stop }),
        others: uploadActions({ ...janitor, prefix: settings.s3KeyPrefix, watches, files: ports.files }),
        log,
      },
      stop,
    ),
    every(LIMITS.leaseTtlMs, resume),
    every(JANITOR_EVERY_MS, () => tidyUp(janitor)),
    settleEpoch(),
  ];
  for (const work of background) {
    work.catch((error: unknown) => {
      if (!stop.aborted)
        ports.onFatal(error instanceof Error ? (error.stack ?? error.message) : String(error));
    });
  }

  /** With an empty Redis, S3 is asked before anything is sent; that is over when every file has been looked at. */
  async function settleEpoch(): Promise<void> {
    if (!recognise.recognise) return;
    await Promise.all(runners.map((runner) => runner.rescan(stop)));
    await beginEpoch(context, identity.nonce);
    // Streams opened by that walk may still be waiting to be complete: they too ask S3 first.
    await supervisor.settledOnce();
    recognise.recognise = false;
  }

  return {
    supervisor,
    lease,
    runners,
    resumed,
    get draining() {
      return draining;
    },
    async end(how) {
      draining = true;
      if (how === "seal") await supervisor.sealAll();
      lane.close();
      gate.stopWaiting();
      await supervisor.drain();
    },
  };
}

const JANITOR_EVERY_MS = 30_000;

function uploadLane(settings: WorkerSettings): UploadLane {
  return new UploadLane({
    slots: settings.uploadConcurrency,
    bufferBytes: settings.bufferBytes,
    allocate: (bytes) => Buffer.allocUnsafeSlow(bytes),
  });
}
