/**
 * One process of the simulated world: its clocks, its chance, and its death. A dead process asks nothing of the world and
 * hears nothing from it: none of its promises ever settles, which is what SIGKILL looks like from inside.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import type { Clock } from "@sluice/core";
import type { Random } from "./random.ts";
import { START_WALL_MS, type Timeline } from "./timeline.ts";

const current = new AsyncLocalStorage<SimulatedProcess>();

/** The process whose code runs now; undefined: the world's own, or no simulation. */
export function currentProcess(): SimulatedProcess | undefined {
  return current.getStore();
}

export interface ProcessOptions {
  name: string;
  pid: number;
  timeline: Timeline;
  random: Random;
  /** Its wall clock is so far from that of the world. */
  wallSkewMs?: number;
}

export class SimulatedProcess {
  readonly name: string;
  readonly pid: number;
  readonly timeline: Timeline;
  readonly random: Random;
  readonly startedAtMs: number;
  frozenUntilMs = 0;
  wallSkewMs: number;
  /** What it asked of the world so far, and at which of these it is killed: before the effect, or after it. */
  calls = 0;
  killAt: { call: number; when: "before" | "after" } | undefined;
  onDeath: () => void = () => undefined;
  #dead = false;

  constructor({ name, pid, timeline, random, wallSkewMs = 0 }: ProcessOptions) {
    this.name = name;
    this.pid = pid;
    this.timeline = timeline;
    this.random = random;
    this.wallSkewMs = wallSkewMs;
    this.startedAtMs = timeline.nowMs;
  }

  get dead(): boolean {
    return this.#dead;
  }

  readonly clock: Clock = {
    wallMs: () => this.wallMs(),
    monotonicMs: () => this.monotonicMs(),
    sleep: (ms, signal) => this.sleep(ms, signal),
  };

  wallMs(): number {
    return Math.floor(START_WALL_MS + this.timeline.nowMs + this.wallSkewMs);
  }

  /** Of the machine: it was there before the process. */
  monotonicMs(): number {
    return this.timeline.nowMs;
  }

  /** Code that runs in it, and all that comes of that code. */
  run<T>(code: () => T): T {
    return current.run(this, code);
  }

  kill(): void {
    if (this.#dead) return;
    this.#dead = true;
    this.onDeath();
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted || ms <= 0) return this.#dead ? NEVER : Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = (): void => {
      signal?.removeEventListener("abort", wake);
      resolve();
    };
    signal?.addEventListener("abort", wake, { once: true });
    this.timeline.after(ms, this, wake);
    return promise;
  }

  /** One thing asked of the world. Everything that may be interrupted by a death goes through here. */
  async ask<T>(act: () => T, waitMs = 0): Promise<T> {
    this.calls += 1;
    const kill = this.killAt?.call === this.calls ? this.killAt.when : undefined;
    if (kill === "before") this.kill();
    if (this.#dead) return await NEVER;
    if (waitMs > 0) await this.sleep(waitMs);
    if (this.#dead) return await NEVER;
    const result = act();
    if (kill === "after") {
      this.kill();
      return await NEVER;
    }
    return result;
  }
}

const NEVER = new Promise<never>(() => undefined);
