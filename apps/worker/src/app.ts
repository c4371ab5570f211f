/**
 * The composition root: what is built from what, once. `startWorker` resolves when the interrupted streams are resumed
 * and the watches are being walked.
 */
import {
  LIMITS,
  StoreGate,
  UploadLane,
  streamId,
  type FileSource,
  type FileTidier,
  type ObjectStore,
  type Observer,
  type ProcessorDeps,
} from "@sluice/core";
import { FilesDone, IgnoredFiles, StreamReader, StreamStore, WatchStore, WorkerRegistry } from "@sluice/redis-schema";
import type { SchemaContext, WorkerRecord } from "@sluice/redis-schema";
import { lookup } from "mime-types";
import { ulid } from "ulid";
import { nativeDigests } from "./adapters/native-digests.ts";
import { fillInFounding } from "./streams/founding.ts";
import { followHints, type HintSource } from "./streams/hints.ts";
import { LeaseKeeper } from "./streams/lease-keeper.ts";
import { ownIdentity } from "./streams/process-identity.ts";
import { resumeInterruptedStreams, watchOf, type RecovererDeps } from "./streams/recoverer.ts";
import { LOOK_FOR_ORPHANED_MS, interruptedStreams } from "./streams/redis-register.ts";
import { loadSourceState } from "./streams/source-state.ts";
import { Supervisor, type SupervisorLog } from "./streams/supervisor.ts";
import { WatchRunner, type WatchDeps } from "./streams/watch-runner.ts";
import { workerFigures } from "./streams/worker-figures.ts";
import { systemClock } from "./system-clock.ts";
import type { WorkerSettings } from "./settings.ts";

/** Adapters that differ between the real worker and its tests. */
export interface WorkerPorts {
  context: SchemaContext;
  store: ObjectStore;
  files: FileSource;
  tidier: FileTidier;
  observer: Observer;
  hints: HintSource;
  walk: WatchDeps["walk"];
  accepts: WatchDeps["accepts"];
  rootIdentity: WatchDeps["rootIdentity"];
  log: SupervisorLog;
  /** The worker must end: another process runs under its id, or a fault of ours. */
  onFatal(reason: string): void;
}

export interface Worker {
  readonly supervisor: Supervisor;
  readonly lease: LeaseKeeper;
  readonly runners: readonly WatchRunner[];
  readonly gate: StoreGate;
  /** Ends politely: `pause` checkpoints and lets go, `seal` completes what nobody is seen writing. */
  end(how: "pause" | "seal"): Promise<void>;
}

export async function startWorker(settings: WorkerSettings, ports: WorkerPorts, stop: AbortSignal): Promise<Worker> {
  const { context, log } = ports;
  const clock = systemClock;
  const identity = ownIdentity();
  const startedAtUtc = new Date().toISOString();
  let draining = false;
  const store = new StreamStore(context, { workerId: settings.workerId, nonce: identity.nonce }, (notice) =>
    log.warn({ stream_id: notice.stream }, notice.text),
  );
  const registry = new WorkerRegistry(context);
  const reader = new StreamReader(context);
  const done = new FilesDone(context);
  const ignored = new IgnoredFiles(context);
  const watchStore = new WatchStore(context);
  const gate = new StoreGate({ clock, observer: ports.observer, random: Math.random });
  const lane = new UploadLane({
    slots: Math.max(1, Math.min(settings.uploadConcurrency, Math.floor(settings.memoryBudgetBytes / settings.partBytes))),
    bufferBytes: settings.partBytes,
    allocate: (bytes) => Buffer.allocUnsafeSlow(bytes),
  });
  const lease = new LeaseKeeper({
    registry,
    workerId: settings.workerId,
    identity,
    clock,
    describe: (): Omit<WorkerRecord, keyof typeof identity | "renewed_at_utc"> => ({
      version: settings.version,
      source: settings.source,
      watches: settings.watches.map(({ name }) => name),
      started_at_utc: startedAtUtc,
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
      whereabouts: async (record) => {
        const runner = runners.find(({ watch }) => watch === watchOf(settings.watches, record.original_path));
        return runner ? await runner.whereabouts(record, stop) : { kind: "offline", detail: "no watch covers its file" };
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
    recovery: { recognise: false },
    worker: { id: settings.workerId, version: settings.version },
  };
  const supervisor: Supervisor = new Supervisor(
    {
      processing,
      register: {
        removeDone: (source, path) => done.remove(source, [path]),
        moveDone: async (source, from, to) => void (await done.move(source, from, to)),
        removeIgnored: (source, path) => ignored.lift(source, [path]),
      },
      source: settings.source,
      bucket: settings.bucket,
      contentType: (path) => lookup(path) || "application/octet-stream",
      takeUp: async () => void (await resume()),
      retry: (id) => retryStream(id),
      log,
    },
    stop,
  );
  const runners = settings.watches.map(
    (watch) =>
      new WatchRunner(watch, {
        files: ports.files,
        clock,
        supervisor,
        rescanIntervalMs: settings.rescanIntervalMs,
        walk: ports.walk,
        accepts: ports.accepts,
        rootIdentity: ports.rootIdentity,
        loadRoot: async ({ name }) => {
          const read = await watchStore.load(settings.source, name);
          if (read.kind !== "ok" || read.value.root_inode === undefined) return undefined;
          return { inode: read.value.root_inode, birthtimeNs: read.value.root_birthtime_ns };
        },
        saveState: async ({ name, root: path }, root, state) =>
          await watchStore.save({
            source: settings.source,
            name,
            root: path,
            ...(root === undefined ? {} : { root_inode: root.inode }),
            ...(root?.birthtimeNs === undefined ? {} : { root_birthtime_ns: root.birthtimeNs }),
            state: state.state,
            ...(state.state === "offline" ? { state_detail: state.detail } : {}),
            since_utc: new Date().toISOString(),
          }),
        removeDone: (paths) => done.remove(settings.source, paths),
        log,
      }),
  );
  const recovery: RecovererDeps = {
    ...interruptedStreams(reader, store),
    supervisor,
    source: settings.source,
    watches: settings.watches,
    failBroken: async () => undefined,
    fillIn: (founding, parts, watch) =>
      fillInFounding(founding, parts, watch, { processing, source: settings.source, store }),
    repairIndex: async () => undefined,
    log,
  };
  const resume = () => resumeInterruptedStreams(recovery);
  const retryStream = async (id: string): Promise<void> => {
    log.info({ stream_id: streamId(id) }, "retry");
  };

  await lease.start(stop);
  await loadSourceState(supervisor.table, settings.source, { done, ignored, reader });
  const report = await resume();
  log.info({ ...report }, "interrupted streams resumed");

  const background: Promise<void>[] = [
    ...runners.map((runner) => runner.run(stop)),
    followHints(ports.hints, runners, clock, stop, (path, error) => log.warn({ path, err: error }, "a hint could not be followed")),
    every(LOOK_FOR_ORPHANED_MS, async () => void (await resume())),
  ];
  for (const work of background) work.catch((error: unknown) => !stop.aborted && ports.onFatal(String(error)));

  async function every(ms: number, work: () => Promise<void>): Promise<void> {
    while (!stop.aborted) {
      await clock.sleep(ms, stop);
      if (!stop.aborted && !draining) await work();
    }
  }

  return {
    supervisor,
    lease,
    runners,
    gate,
    async end(how) {
      draining = true;
      if (how === "pause") lane.close();
      gate.stopWaiting();
      await (how === "seal" ? supervisor.sealAll() : supervisor.drain());
    },
  };
}
