/**
 * The life of one file, by the real core and the real store over HTTP, in virtual time: whenever no request is under way
 * and nothing else can run, the clock moves to what is waited for next. A wait of days takes no longer than its requests.
 */
import { LIMITS, FAILURES, parseWaiting, type ObjectStore, type StreamRecord } from "@sluice/core";
import { ManualClock, PART, ROOT, SOURCE, World, sampleBytes, type TestWorker } from "@sluice/core/testing";
import { nodeDigests } from "../../../packages/core/test/node-digests.ts";
import type { Front } from "./front.ts";

/** Requests under way. */
class Flights {
  #count = 0;
  #changed = Promise.withResolvers<void>();

  async during<T>(work: () => Promise<T>): Promise<T> {
    this.#count += 1;
    try {
      return await work();
    } finally {
      this.#count -= 1;
      this.#changed.resolve();
      this.#changed = Promise.withResolvers<void>();
    }
  }

  get none(): boolean {
    return this.#count === 0;
  }

  async landed(): Promise<void> {
    while (!this.none) await this.#changed.promise;
  }
}

/** Moves only while no request is under way. */
class FlightClock extends ManualClock {
  readonly #flights: Flights;

  constructor(flights: Flights) {
    super();
    this.#flights = flights;
  }

  override async settle(): Promise<void> {
    await super.settle();
    while (!this.#flights.none) {
      await this.#flights.landed();
      await super.settle();
    }
  }
}

function counted(store: ObjectStore, flights: Flights): ObjectStore {
  return new Proxy(store, {
    get(_, property) {
      const value: unknown = Reflect.get(store, property);
      if (typeof value !== "function") return value;
      const call = (args: unknown[]): unknown => Reflect.apply(value, store, args);
      if (property !== "read" && property !== "listUploads")
        return (...args: unknown[]) => flights.during(async () => await call(args));
      return async function* (...args: unknown[]) {
        const items = (call(args) as AsyncIterable<unknown>)[Symbol.asyncIterator]();
        try {
          for (;;) {
            const { done, value: item } = await flights.during(() => items.next());
            if (done === true) return;
            yield item;
          }
        } finally {
          await items.return?.();
        }
      };
    },
  });
}

export class Life {
  readonly world: World;
  readonly name: string;
  readonly path: string;
  readonly other: string;
  worker: TestWorker;
  readonly #store: () => ObjectStore;

  constructor(id: number, store: () => ObjectStore) {
    const flights = new Flights();
    this.#store = () => counted(store(), flights);
    this.world = new World({ digests: nodeDigests, clock: new FlightClock(flights), random: () => 0.5 });
    this.name = `c${String(id).padStart(6, "0")}`;
    this.path = `${ROOT}/${this.name}.bin`;
    this.other = `${ROOT}/o${this.name}.bin`;
    this.worker = this.#start();
  }

  #start(): TestWorker {
    return this.world.worker({ store: this.#store() });
  }

  write(path: string, size: number, seed = 1): void {
    this.world.disk.append(path, sampleBytes(size, seed));
  }

  /** Complete, as its writer says. */
  mark(path: string): void {
    this.world.disk.mark(path);
  }

  async scan(): Promise<void> {
    await this.worker.scan();
    this.worker.written();
    await this.world.clock.settle();
  }

  /** The worker is killed, and the next one finds its streams. */
  async kill(): Promise<void> {
    this.worker.die();
    this.worker = this.#start();
    await this.scan();
  }

  /** Until every stream has ended, or so long. Undefined when all have; else why not. */
  async rest(mostMs: number): Promise<string | undefined> {
    const { clock } = this.world;
    const endMs = clock.monotonicMs() + mostMs;
    const over = (): boolean => this.worker.busy === 0 || this.worker.bugs.length > 0;
    try {
      await clock.until(over, mostMs);
      return undefined;
    } catch (error) {
      const why = String(error);
      if (!why.includes("not within")) return why;
      await clock.advance(Math.max(0, endMs - clock.monotonicMs()));
      return "waits";
    }
  }

  streams(path: string): StreamRecord[] {
    return this.world.redis
      .ids()
      .flatMap((id) => this.world.redis.record(id) ?? [])
      .filter(({ original_path: at }) => at === path);
  }

  /** What is wrong with how a stream of the path stands now; undefined: it says why, and what can be done. */
  silent(path: string): string | undefined {
    const record = this.streams(path).at(-1);
    if (!record) return "it has no record";
    const { status, failure_reason: reason, waiting_for: waiting } = record;
    if (status === "completed") return undefined;
    if (status.startsWith("failed_")) {
      if (!isFailureReason(reason)) return `it failed for ${reason}, which no table knows`;
      return FAILURES[reason].remedy === "" ? "its failure has no remedy" : undefined;
    }
    const { blocked, reason: trouble = "" } = this.worker.deps.gate.state;
    const parsed = parseWaiting(waiting);
    if (parsed?.for === "store" && parsed.detail.length > 3) return undefined;
    return blocked && trouble !== "" ? undefined : `it is ${status} and waits for ${waiting ?? "nothing"}`;
  }

  /** Whether its object holds the file's bytes; undefined: it does. */
  async differs(
    path: string,
    fetchObject: (key: string) => Promise<Buffer | undefined>,
  ): Promise<string | undefined> {
    const record = this.streams(path).at(-1);
    const done = this.world.redis.done(SOURCE, path);
    if (record?.status !== "completed" || done === undefined)
      return `it is ${record?.status}: ${record?.failure_detail ?? record?.waiting_for}`;
    const object = await fetchObject(done.s3_key);
    if (!object) return `there is no object at ${done.s3_key}`;
    return object.equals(this.world.disk.bytes(path))
      ? undefined
      : `the object at ${done.s3_key} holds other bytes`;
  }
}

function isFailureReason(reason: string | undefined): reason is keyof typeof FAILURES {
  return reason !== undefined && Object.hasOwn(FAILURES, reason);
}

export interface Scenario {
  readonly name: string;
  /** In peace. */
  before(life: Life): Promise<void>;
  /** Whatever is asked from here on may be answered by somebody else. */
  act(life: Life): Promise<void>;
}

const DAY_MS = 24 * 3_600_000;

export const SCENARIOS: readonly Scenario[] = [
  {
    name: "a small file",
    before: () => Promise.resolve(),
    async act(life) {
      life.write(life.path, 1_000);
      life.mark(life.path);
      await life.scan();
    },
  },
  {
    name: "a file of two parts",
    before: () => Promise.resolve(),
    async act(life) {
      life.write(life.path, PART + 1_000);
      life.mark(life.path);
      await life.scan();
    },
  },
  {
    name: "a completed file that grows",
    async before(life) {
      life.write(life.path, PART + 1_000);
      await life.scan();
      await life.rest(DAY_MS);
    },
    async act(life) {
      life.write(life.path, 1_000, 2);
      life.mark(life.path);
      await life.scan();
    },
  },
  {
    name: "a file whose worker was killed",
    async before(life) {
      life.write(life.path, 2 * PART + 1_000);
      await life.scan();
      await life.world.clock.advance(1_000);
    },
    async act(life) {
      life.mark(life.path);
      await life.kill();
    },
  },
  {
    name: "a file that became shorter",
    async before(life) {
      life.write(life.path, PART + 1_000);
      await life.scan();
      await life.world.clock.advance(1_000);
    },
    async act(life) {
      life.world.disk.truncate(life.path, 3_000);
      life.mark(life.path);
      await life.scan();
    },
  },
];

/** Longer than the longest patience there is. */
export const PATIENCE_MS = LIMITS.deniedKeyMs + 5 * 60_000;

/** What the victim asks for in peace, in that order. */
export async function steps(scenario: Scenario, life: Life, front: Front): Promise<string[]> {
  await scenario.before(life);
  const from = front.asked.length;
  await scenario.act(life);
  const trouble = (await life.rest(DAY_MS)) ?? life.silent(life.path);
  if (trouble !== undefined) throw new Error(`${scenario.name}, in peace: ${trouble}`);
  return front.asked
    .slice(from)
    .filter(({ key }) => key.startsWith(life.name))
    .map(({ operation }) => operation);
}
