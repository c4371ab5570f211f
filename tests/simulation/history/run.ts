/** Plays one history: its actions, then the healing, then the judgement. */
import { Random } from "../world/random.ts";
import { ROOT } from "../world/roots.ts";
import { World } from "../world/world.ts";
import { WRITERS } from "../writers/index.ts";
import { openOn, perform, uniqueBytes } from "../writers/writer.ts";
import { FAIR } from "../store/store.ts";
import { WRITES } from "../redis/commands.ts";
import { ask, askAgain } from "./operator.ts";
import { Oracle } from "./oracle.ts";
import { pairsOf } from "./pairs.ts";
import type { Action, Plan } from "./plan.ts";

export interface Played {
  violations: string[];
  log: string[];
  /** Actions with the states of the streams that they met. */
  pairs: ReadonlySet<string>;
  /** Things that writers and faults did. */
  actions: number;
  steps: number;
  simulatedMs: number;
}

/** How long the world may take to come to rest once nothing hinders it. */
const HEALING_MS = 12 * 60_000;
const LOOK_EVERY_MS = 8_000;
const RESTS = 2;
const QUIET_MS = 10_000;

export async function play(plan: Plan, healingMs = HEALING_MS): Promise<Played> {
  const history = new History(plan);
  return await history.play(healingMs);
}

class History {
  readonly #plan: Plan;
  readonly #world: World;
  readonly #oracle: Oracle;
  readonly #pairs = new Set<string>();
  #writes = 0;
  #actions = 0;
  #healing = false;
  /** Redis cannot be brought back further: it was emptied or restored then. */
  #redisSinceMs = 0;

  constructor(plan: Plan) {
    this.#plan = plan;
    const { seed, disk, settings, writersSeen, events, slowness, slowestMs, store, cut } = plan;
    this.#world = new World({
      seed,
      disk,
      settings,
      writersSeen,
      events,
      slowness,
      slowestMs,
      store,
      ...(cut && { cut }),
    });
    this.#world.redis.weather.atOnce = plan.redisAtOnce ?? 0;
    this.#oracle = new Oracle(this.#world);
  }

  async play(healingMs: number): Promise<Played> {
    const { timeline, disk, log } = this.#world;
    const rejected = (error: unknown): void => {
      this.#world.faults.push(
        `a rejection nobody heard: ${error instanceof Error ? error.stack : String(error)}`,
      );
    };
    process.on("unhandledRejection", rejected);
    try {
      disk.makeDirectory(`${ROOT}/day`);
      for (const worker of this.#plan.workers) this.#world.startWorker(worker);
      for (const action of this.#plan.actions) timeline.at(action.atMs, undefined, () => this.#act(action));
      await timeline.run(this.#plan.healsAtMs);
      this.#heal();
      const endMs = timeline.nowMs + healingMs;
      // Rest counts when it lasts.
      for (let rests = 0; rests < RESTS && timeline.nowMs < endMs;) {
        await timeline.run(timeline.nowMs + LOOK_EVERY_MS);
        askAgain(this.#world);
        rests = this.#oracle.open().length === 0 ? rests + 1 : 0;
        // A writer may go on in the end.
        if (rests === RESTS && !(await this.#quiet())) rests = 0;
      }
      this.#oracle.last();
    } finally {
      process.off("unhandledRejection", rejected);
    }
    return {
      violations: this.#oracle.violations,
      log,
      pairs: this.#pairs,
      actions: this.#actions,
      steps: timeline.steps,
      simulatedMs: timeline.nowMs,
    };
  }

  /** What is asked while nobody changes anything and nothing waits. False: somebody did. */
  async #quiet(): Promise<boolean> {
    const { timeline } = this.#world;
    if (!this.#oracle.nothingWaits()) return true;
    const [actions, before] = [this.#actions, this.#world.asked()];
    await timeline.run(timeline.nowMs + QUIET_MS);
    if (this.#actions !== actions) return false;
    if (this.#oracle.nothingWaits()) this.#oracle.quiet(before, this.#world.asked());
    return true;
  }

  #say(text: string): void {
    this.#world.say(`— ${text}`);
  }

  #act(action: Action): void {
    this.#actions += 1;
    this.#say(describe(action));
    for (const pair of pairsOf(action, this.#world.redis.database)) this.#pairs.add(pair);
    const { timeline, redis, store, disk } = this.#world;
    const after = (ms: number, lift: () => void): void =>
      timeline.after(ms, undefined, () => {
        if (!this.#healing) lift();
      });
    const { weather } = redis;
    switch (action.kind) {
      case "write":
        return this.#write(action);
      case "kill": {
        const running = this.#world.workers.get(action.worker);
        if (!running || running.process.dead) return;
        const { process } = running;
        process.killAt = { call: process.calls + action.calls, when: action.when };
        const { onDeath } = process;
        process.onDeath = () => {
          onDeath();
          after(action.downMs, () => this.#startAgain(action.worker));
        };
        return;
      }
      case "stop": {
        const running = this.#world.workers.get(action.worker);
        if (!running || running.process.dead) return;
        const { onDeath } = running.process;
        running.process.onDeath = () => {
          onDeath();
          after(action.downMs, () => this.#startAgain(action.worker));
        };
        running.stop(action.how).catch(() => running.process.kill());
        // As a service manager does.
        timeline.after(30_000, undefined, () => running.process.kill());
        return;
      }
      case "freeze": {
        const process = this.#world.workers.get(action.worker)?.process;
        if (process) process.frozenUntilMs = timeline.nowMs + action.forMs;
        return;
      }
      case "redis away":
        if (action.hung) weather.hung = true;
        else weather.away = true;
        after(action.forMs, () => {
          weather.hung = weather.away = false;
        });
        return;
      case "redis loses replies":
        weather.losesReplies = 0.2;
        after(action.forMs, () => (weather.losesReplies = 0));
        return;
      case "redis older": {
        const backMs = Math.max(timeline.wallMs - action.lostMs, this.#redisSinceMs);
        redis.database.goBackTo(backMs);
        this.#redisRestarted();
        return;
      }
      case "redis emptied":
        redis.database.empty();
        this.#redisRestarted();
        return;
      case "script fails":
        redis.database.failScriptAfterWrites = action.afterWrites;
        after(action.forMs, () => (redis.database.failScriptAfterWrites = undefined));
        return;
      case "store away":
        store.weather.away = true;
        after(action.forMs, () => (store.weather.away = false));
        return;
      case "store loses replies":
        Object.assign(store.weather, { losesReplies: 0.3, actsLate: action.late ? 0.5 : 0 });
        after(action.forMs, () => void Object.assign(store.weather, { losesReplies: 0, actsLate: 0 }));
        return;
      case "store refuses":
        store.weather.refuses = 0.5;
        after(action.forMs, () => (store.weather.refuses = 0));
        return;
      case "file unreadable": {
        const path = disk.files().find(([one]) => one.includes(`/${action.name}`))?.[0];
        if (path === undefined) return;
        disk.denied.set(path, action.code);
        after(action.forMs, () => void disk.denied.delete(path));
        return;
      }
      case "volume away":
        disk.mounted = false;
        after(action.forMs, () => (disk.mounted = true));
        return;
      case "clock set": {
        const process = this.#world.workers.get(action.worker)?.process;
        if (process) process.wallSkewMs += action.byMs;
        return;
      }
      case "ask":
        if (action.action === "salvage") this.#oracle.mayBePartial = true;
        return ask(this.#world, action);
      case "settings":
        this.#world.change({ [action.name]: action.value });
        for (const worker of this.#plan.workers)
          this.#act({
            kind: "stop",
            worker,
            how: "pause",
            downMs: 500,
            atMs: action.atMs,
            seed: action.seed,
          });
        return;
      case "uploads dropped":
        for (const { uploadId } of store.bucket.uploads()) store.bucket.dropUpload(uploadId);
        return;
      case "store refuses If-Match":
        store.bucket.behaves.ifMatchOnComplete = "refused_always";
        after(action.forMs, () => delete store.bucket.behaves.ifMatchOnComplete);
        return;
      case "store lists late":
        store.bucket.listsAfterMs = 10_000;
        this.#oracle.listedLate = true;
        after(action.forMs, () => (store.bucket.listsAfterMs = 0));
        return;
      case "redis full":
        redis.database.refuse = (command) => (WRITES.has(command) ? FULL : undefined);
        after(action.forMs, () => (redis.database.refuse = () => undefined));
        return;
      case "volume full":
        disk.full = true;
        after(action.forMs, () => (disk.full = false));
        return;
      case "volume remounted":
        disk.mounted = false;
        after(action.forMs, () => {
          disk.device += 1n;
          disk.mounted = true;
        });
        return;
    }
  }

  /** It may have been told to end twice, and is there again already. */
  #startAgain(name: string): void {
    if (this.#world.workers.get(name)?.process.dead) this.#world.startWorker(name);
  }

  #redisRestarted(): void {
    const { redis, timeline, random } = this.#world;
    this.#oracle.redisLost = true;
    redis.database.runId = random.fork(`redis ${timeline.nowMs}`).hex(40);
    this.#redisSinceMs = timeline.wallMs;
  }

  #write({ writer, name, seed }: Extract<Action, { kind: "write" }>): void {
    const { disk, timeline } = this.#world;
    const { pace = 1 } = this.#plan;
    const random = new Random(seed);
    const pid = 50_000 + this.#actions;
    const program = perform(WRITERS[writer], {
      name: `${ROOT}/${name}`,
      disk,
      random,
      bytes: (length) => uniqueBytes((this.#writes += 1), length),
      open: (path) => openOn(disk, path, pid),
    });
    const next = (): void => {
      // A volume that is away or full is so for writers too.
      if (!disk.mounted || disk.full) return timeline.after(1_000, undefined, next);
      this.#actions += 1;
      const { value, done } = program.next();
      if (!done) timeline.after(value * pace, undefined, next);
    };
    next();
  }

  /** Every fault is lifted, and every worker is there again. */
  #heal(): void {
    this.#say("everything heals");
    this.#healing = true;
    const { redis, store, disk, workers } = this.#world;
    Object.assign(redis.weather, { away: false, hung: false, losesReplies: 0 });
    redis.database.failScriptAfterWrites = undefined;
    redis.database.refuse = () => undefined;
    Object.assign(store.weather, FAIR);
    delete store.bucket.behaves.ifMatchOnComplete;
    store.bucket.listsAfterMs = 0;
    disk.denied.clear();
    disk.mounted = true;
    disk.full = false;
    for (const [name, { process }] of workers) {
      process.frozenUntilMs = 0;
      process.killAt = undefined;
      if (process.dead) this.#startAgain(name);
      else process.onDeath = () => this.#startAgain(name);
    }
  }
}

const FULL = "OOM command not allowed when used memory > 'maxmemory'.";
const UNTOLD = new Set(["kind", "atMs", "seed"]);

export function describe(action: Action): string {
  const told = Object.entries(action).filter(([field]) => !UNTOLD.has(field));
  return [action.kind, ...told.map(([field, value]) => `${field}=${String(value)}`)].join(" ");
}
