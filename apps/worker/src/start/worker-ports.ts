/** Adapters to the outside world, built at the start of the process. */
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
import type { PublicAddresses } from "@sluice/s3-store";
import type { RedisPatience } from "./redis-patience.ts";
import type { NativeDigests } from "../files/native-digests.ts";
import type { DiskSpace } from "../files/disk-space.ts";
import type { ProcessIdentity } from "../takeover/process-identity.ts";
import type { HintSource } from "../files/watch/hints.ts";
import type { SupervisorLog } from "../streams/supervisor.ts";
import type { WatchDeps } from "../files/watch/watch-runner.ts";

/**
 * Time, randomness, and what only the kernel knows about processes. The worker takes these from nowhere else, so that a
 * simulation can run the real worker on a manual clock and a seeded generator.
 */
export interface TimeAndChance {
  clock: Clock;
  /** The wall clock at the start of the process plus monotonic time, so that nobody can set it. */
  steadyMs(): number;
  /** From 0 up to, but not including, 1. */
  random(): number;
  /** Ids are unique and sort by creation time. */
  newId(): string;
  digests: NativeDigests;
  /** When the process started, on the wall clock. */
  startedMs: number;
  /** Whether the process of another worker is known to have ended. */
  isGone(other: Omit<ProcessIdentity, "nonce">): boolean;
}

export interface WorkerPorts
  extends TimeAndChance, Pick<WatchDeps, "walk" | "accepts" | "rootIdentity" | "followsEvents"> {
  identity: ProcessIdentity;
  /** The nonce of the lease that this process held while its start waited for the store. */
  waitedUnder?: string | undefined;
  context: SchemaContext;
  /** A second connection to Redis, for blocking reads. */
  blocking: RedisClient;
  store: ObjectStore;
  /** Signs addresses of objects; absent: nobody may have one. */
  downloads?: PublicAddresses | undefined;
  files: FileSource;
  tidier: FileTidier;
  observer: Observer;
  gate: StoreGate;
  /** Waits for an unavailable Redis, also before the worker runs. */
  redisPatience: RedisPatience;
  hints: HintSource;
  /** Undefined if it is not known; on a network file system that hangs, the answer never comes. */
  diskSpace(root: string): Promise<DiskSpace | undefined>;
  log: SupervisorLog;
  /** Only for crash tests. */
  failpoint?: ReachFailpoint | undefined;
  /** The worker must shut down: another process runs under its id, or it has a bug. */
  onFatal(reason: string): void;
}
