/** Adapters to the world, built at the start of the process. */
import type {
  Clock,
  FileSource,
  FileTidier,
  ObjectStore,
  Observer,
  ReachFailpoint,
  StoreGate,
} from "@sluice/core";
import type { RedisClient, SchemaContext } from "@sluice/redis-schema";
import type { RedisPatience } from "./redis-patience.ts";
import type { NativeDigests } from "../files/native-digests.ts";
import type { ProcessIdentity } from "../takeover/process-identity.ts";
import type { HintSource } from "../files/watch/hints.ts";
import type { SupervisorLog } from "../streams/supervisor.ts";
import type { WatchDeps } from "../files/watch/watch-runner.ts";

/**
 * Time, chance and what only the kernel knows of processes. Nothing that the worker is built from takes these from
 * anywhere else, so that a simulation runs the real worker on a manual clock and a seeded generator.
 */
export interface TimeAndChance {
  clock: Clock;
  /** The wall clock as it was at the start of the process and ran on monotonically: nobody sets it. */
  steadyMs(): number;
  /** From 0 up to 1. */
  random(): number;
  /** Never gives the same id twice; ids sort by the time they were made. */
  newId(): string;
  digests: NativeDigests;
  /** When the process started, by the wall clock. */
  startedMs: number;
  /** Whether another worker's process is known to be gone. */
  isGone(other: Omit<ProcessIdentity, "nonce">): boolean;
}

export interface WorkerPorts
  extends TimeAndChance, Pick<WatchDeps, "walk" | "accepts" | "rootIdentity" | "followsEvents"> {
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
