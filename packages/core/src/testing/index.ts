/** Memory adapters, a manual clock and the crash points: what tests of the domain and of its adapters share. */
export * from "./audit.ts";
export * from "./crash-points.ts";
export * from "./failing.ts";
export * from "./history.ts";
export * from "./history-actions.ts";
export * from "./manual-clock.ts";
export * from "./memory-checkpoint-store.ts";
export * from "./memory-disk.ts";
export * from "./memory-file-source.ts";
export * from "./memory-object-store.ts";
export * from "./memory-redis.ts";
export * from "./rejection.ts";
export * from "./test-values.ts";
export * from "./test-worker.ts";
export * from "./world.ts";
