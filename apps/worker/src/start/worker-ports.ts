/** Adapters to the world, built at the start of the process. */
import type { FileSource, FileTidier, ObjectStore, Observer, ReachFailpoint, StoreGate } from "@sluice/core";
import type { RedisClient, SchemaContext } from "@sluice/redis-schema";
import type { RedisPatience } from "./redis-patience.ts";
import type { ProcessIdentity } from "../takeover/process-identity.ts";
import type { HintSource } from "../files/watch/hints.ts";
import type { SupervisorLog } from "../streams/supervisor.ts";
import type { WatchDeps } from "../files/watch/watch-runner.ts";

export interface WorkerPorts extends Pick<WatchDeps, "walk" | "accepts" | "rootIdentity" | "followsEvents"> {
  identity: ProcessIdentity;
  /** The nonce of the lease that this process held while its start waited for the store. */
  waitedUnder?: string | undefined;
  context: SchemaContext;
  /** A second connection to Redis, for reads that block. */
  blocking: RedisClient;
  store: ObjectStore;
  files: FileSource;
  tidier: FileTidier;
  observer: Observer;
  gate: StoreGate;
  /** Redis in trouble is waited for, also before the worker is at work. */
  redisPatience: RedisPatience;
  hints: HintSource;
  log: SupervisorLog;
  /** Crash tests only. */
  failpoint?: ReachFailpoint | undefined;
  /** The worker must end: another process runs under its id, or a fault of ours. */
  onFatal(reason: string): void;
}
