/**
 * What code reaches for beside its ports: the time of day, chance, timers. In a simulated process these are the world's;
 * everywhere else they are as they were. Put in place once, for good.
 */
import crypto from "node:crypto";
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import timers from "node:timers/promises";
import { currentProcess } from "./process.ts";

let installed = false;

export function installGlobals(): void {
  if (installed) return;
  installed = true;
  const RealDate = globalThis.Date;
  class SimulatedDate extends RealDate {
    constructor(...args: [] | [number | string | Date]) {
      const process = args.length === 0 ? currentProcess() : undefined;
      if (process) super(process.wallMs());
      else super(...(args as [number]));
    }

    static override now(): number {
      return currentProcess()?.wallMs() ?? RealDate.now();
    }
  }
  globalThis.Date = SimulatedDate as DateConstructor;

  const realNow = performance.now.bind(performance);
  performance.now = () => currentProcess()?.monotonicMs() ?? realNow();

  const realRandom = Math.random;
  Math.random = () => currentProcess()?.random.next() ?? realRandom();

  const { randomUUID, randomInt } = crypto;
  crypto.randomUUID = ((...args: Parameters<typeof randomUUID>) => {
    const hex = currentProcess()?.random.hex(32);
    if (hex === undefined) return randomUUID(...args);
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
  }) as typeof randomUUID;
  crypto.randomInt = ((...args: number[]) => {
    const process = currentProcess();
    const [first = 0, second] = args;
    if (!process) return Reflect.apply(randomInt, crypto, args) as number;
    return second === undefined
      ? process.random.between(0, first - 1)
      : process.random.between(first, second - 1);
  }) as typeof randomInt;

  const delay = timers.setTimeout;
  timers.setTimeout = (async (ms?: number, value?: unknown, options?: { signal?: AbortSignal }) => {
    const process = currentProcess();
    if (!process) return await delay(ms, value, options);
    await process.sleep(ms ?? 0, options?.signal);
    options?.signal?.throwIfAborted();
    return value;
  }) as typeof timers.setTimeout;

  // A timer of its own would let real time into the world.
  const realSetTimeout = globalThis.setTimeout;
  globalThis.setTimeout = ((...args: Parameters<typeof realSetTimeout>) => {
    const process = currentProcess();
    if (process) throw new Error(`${process.name} set a timer that the simulation does not know`);
    return realSetTimeout(...args);
  }) as typeof realSetTimeout;
  syncBuiltinESMExports();
}

/** The file system's calls, replaced in the same way: by name, where a simulated process asks about a simulated path. */
export function installFileSystem(
  replaced: Partial<Record<keyof typeof fs, unknown>>,
  promises: Partial<Record<keyof typeof fs.promises, unknown>>,
): void {
  Object.assign(fs, replaced);
  Object.assign(fs.promises, promises);
  syncBuiltinESMExports();
}
